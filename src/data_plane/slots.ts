import { ProxyError } from "../domain/errors.ts";
import type { KeyRecord } from "../store/directory.ts";

/** How many calls are taken at once, and how much of their bodies. */
export interface SlotLimits {
  /** Calls at once. One organization has at most three quarters of them, so that others come through. */
  readonly concurrency: number;
  /** Calls of one key at once. */
  readonly keyConcurrency: number;
  /** Bytes of request bodies at once, shared between organizations in the same way. */
  readonly bodyMemoryBytes: number;
  /** The longest body, in bytes. One body always has room. */
  readonly bodyBytesMax: number;
}

/** What a key, an organization or all of them have at the moment. */
interface Tally {
  readonly id: string;
  calls: number;
  bodyBytes: number;
}

/** How much of everything one organization may have. */
const SHARE = 0.75;

/** Counts the calls being served and the bodies in memory: for each key, for each organization and for all. */
export class Slots {
  readonly #limits: SlotLimits;
  readonly #organizationCalls: number;
  readonly #organizationBodyBytes: number;
  readonly #isShortOfMemory: () => boolean;
  readonly #all: Tally = { id: "", calls: 0, bodyBytes: 0 };
  readonly #keys = new Map<string, Tally>();
  readonly #organizations = new Map<string, Tally>();

  constructor(limits: SlotLimits, isShortOfMemory: () => boolean) {
    const { concurrency, bodyMemoryBytes, bodyBytesMax } = limits;
    this.#limits = { ...limits, bodyMemoryBytes: Math.max(bodyMemoryBytes, bodyBytesMax) };
    this.#organizationCalls = Math.ceil(concurrency * SHARE);
    this.#organizationBodyBytes = Math.max(Math.ceil(bodyMemoryBytes * SHARE), bodyBytesMax);
    this.#isShortOfMemory = isShortOfMemory;
  }

  /** How many calls are being served. */
  get calls(): number {
    return this.#all.calls;
  }

  /** How many bytes of their bodies are in memory. */
  get bodyBytes(): number {
    return this.#all.bodyBytes;
  }

  /** How many keys and organizations are counted: those that have calls. */
  get tallies(): number {
    return this.#keys.size + this.#organizations.size;
  }

  /** Takes a slot until it is left. @throws {ProxyError} `rate_limited` or `overloaded` if there is none. */
  take({ id, organizationId }: Pick<KeyRecord, "id" | "organizationId">): Slot {
    const { concurrency, keyConcurrency } = this.#limits;
    const key = tallyOf(this.#keys, id);
    const organization = tallyOf(this.#organizations, organizationId);
    if (key.calls >= keyConcurrency) throw keyIsFull(keyConcurrency);
    if (this.#all.calls >= concurrency)
      throw overloaded(`the proxy has ${concurrency} calls in flight, the most it takes`);
    if (organization.calls >= this.#organizationCalls)
      throw overloaded(
        `this organization has ${this.#organizationCalls} calls in flight, the most that one may have of ${concurrency}`,
      );
    // With nothing in flight there is nothing to wait for.
    if (this.#all.calls > 0 && this.#isShortOfMemory())
      throw overloaded("the proxy is short of memory");
    if (key.calls === 0) this.#keys.set(id, key);
    if (organization.calls === 0) this.#organizations.set(organizationId, organization);
    this.#all.calls += 1;
    organization.calls += 1;
    key.calls += 1;
    return new Slot(this, key, organization);
  }

  /** Checks that bytes of a body could be counted now. @throws {ProxyError} `overloaded` if there are too many. */
  requireRoom(organization: Tally, bytes: number): void {
    const all = this.#all.bodyBytes + bytes;
    const ofOrganization = organization.bodyBytes + bytes;
    if (all > this.#limits.bodyMemoryBytes || ofOrganization > this.#organizationBodyBytes)
      throw bodiesAreFull();
  }

  /** Counts bytes of a body. @throws {ProxyError} `overloaded` if there are too many; then they are not counted. */
  addBody(organization: Tally, bytes: number): void {
    this.requireRoom(organization, bytes);
    this.#all.bodyBytes += bytes;
    organization.bodyBytes += bytes;
  }

  removeBody(organization: Tally, bytes: number): void {
    this.#all.bodyBytes -= bytes;
    organization.bodyBytes -= bytes;
  }

  remove(key: Tally, organization: Tally): void {
    this.#all.calls -= 1;
    organization.calls -= 1;
    key.calls -= 1;
    if (key.calls === 0) this.#keys.delete(key.id);
    if (organization.calls === 0) this.#organizations.delete(organization.id);
  }
}

/** A call's place among those being served. Whoever takes it leaves it, whatever happens. */
export class Slot {
  readonly #slots: Slots;
  readonly #key: Tally;
  readonly #organization: Tally;
  #bodyBytes = 0;
  #left = false;

  constructor(slots: Slots, key: Tally, organization: Tally) {
    this.#slots = slots;
    this.#key = key;
    this.#organization = organization;
  }

  /** Checks that a body of this size has room now; none is kept for it. @throws {ProxyError} `overloaded` if not. */
  requireRoom(bytes: number): void {
    this.#slots.requireRoom(this.#organization, bytes);
  }

  /** Counts bytes of the call's body until it is released. @throws {ProxyError} `overloaded` if there is no room. */
  holdBody(bytes: number): void {
    this.#slots.addBody(this.#organization, bytes);
    this.#bodyBytes += bytes;
  }

  /** Notes that nothing keeps the body any more. */
  releaseBody(): void {
    this.#slots.removeBody(this.#organization, this.#bodyBytes);
    this.#bodyBytes = 0;
  }

  /** Gives the slot back. Said again, it does nothing: calls end in more than one place. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.releaseBody();
    this.#slots.remove(this.#key, this.#organization);
  }
}

function tallyOf(tallies: ReadonlyMap<string, Tally>, id: string): Tally {
  return tallies.get(id) ?? { id, calls: 0, bodyBytes: 0 };
}

/** A call that ends makes room, and most end soon. */
const RETRY = { "retry-after": "1" };

function keyIsFull(limit: number): ProxyError {
  return new ProxyError(
    "rate_limited",
    `Cannot take call: this key has ${limit} calls in flight, the most that one key may have`,
    { headers: RETRY },
  );
}

function overloaded(what: string): ProxyError {
  return new ProxyError("overloaded", `Cannot take call: ${what}`, { headers: RETRY });
}

function bodiesAreFull(): ProxyError {
  const message = "Cannot read request: the bodies of other requests fill the memory for them";
  return new ProxyError("overloaded", message, { headers: RETRY });
}
