import { monthOf } from "../../src/domain/month.ts";

/** A key and what it may use in a month and in a minute. */
export interface ModelKey {
  readonly id: string;
  readonly organizationId: string;
  readonly monthlyTokenLimit: number;
  readonly rateLimitRpm: number;
}

export interface ModelOrganization {
  readonly id: string;
  limitMicrocents: number;
  circuitOpen: boolean;
}

/** What a call in flight has noted of itself: what a crash leaves to be posted. */
export interface Noted {
  readonly outputTokens: number;
  readonly cost: number;
}

/** A call, from its admission to what became of it. */
export interface ModelCall {
  readonly id: string;
  readonly key: ModelKey;
  readonly month: number;
  readonly admittedAtMs: number;
  readonly inputTokens: number;
  readonly heldTokens: number;
  readonly heldCost: number;
  readonly checkpoints: Noted[];
  state: "pending" | "posted" | "voided" | "expired";
  tokens: number;
  cost: number;
  /** From when on its admission counts in the rate limit. */
  countsFromMs: number;
}

const MINUTE_MS = 60_000;

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** The ledger's rules without its counters: every decision adds up all calls anew. */
export class LedgerModel {
  readonly keys: readonly ModelKey[];
  readonly organizations: readonly ModelOrganization[];
  readonly calls: ModelCall[] = [];

  constructor(keys: readonly ModelKey[], organizations: readonly ModelOrganization[]) {
    this.keys = keys;
    this.organizations = organizations;
  }

  /** Returns the code of the limit that refuses a call of this key now, or null. */
  refusal(key: ModelKey, nowMs: number): string | null {
    const month = monthOf(nowMs);
    const organization = this.organizationOf(key);
    this.#trip(organization, month);
    const cost = this.settledCost(organization, month) + this.#heldCost(organization, month);
    if (organization.circuitOpen || cost >= organization.limitMicrocents)
      return "cost_circuit_open";
    const tokens = this.usedTokens(key, month) + this.heldTokens(key, month);
    if (tokens >= key.monthlyTokenLimit) return "token_ceiling_exceeded";
    return this.recent(key, nowMs) >= key.rateLimitRpm ? "rate_limited" : null;
  }

  /** Settles a call with what it used, or voids it. */
  settle(
    call: ModelCall,
    used: { readonly tokens: number; readonly cost: number } | null,
    nowMs: number,
  ) {
    call.state = used === null ? "voided" : "posted";
    call.tokens = used?.tokens ?? 0;
    call.cost = used?.cost ?? 0;
    if (call.month === monthOf(nowMs)) this.#trip(this.organizationOf(call.key), call.month);
  }

  /** Starts anew after a stop, with what its rows say of each call and circuit. */
  restart(
    rows: ReadonlyMap<string, Noted | "settled">,
    openCircuits: ReadonlySet<string>,
    nowMs: number,
  ): void {
    let hasExpired = false;
    for (const call of this.calls) {
      const row = rows.get(call.id);
      call.countsFromMs = Math.min(nowMs, call.admittedAtMs + 1);
      if (row === undefined || row === "settled") continue;
      hasExpired = true;
      call.state = "expired";
      call.tokens = row.outputTokens > 0 ? call.inputTokens + row.outputTokens : call.heldTokens;
      call.cost = row.outputTokens > 0 ? row.cost : call.heldCost;
    }
    for (const organization of this.organizations) {
      organization.circuitOpen = openCircuits.has(organization.id);
      if (hasExpired) this.#trip(organization, monthOf(nowMs));
    }
  }

  organizationOf(key: ModelKey): ModelOrganization {
    const found = this.organizations.find(({ id }) => id === key.organizationId);
    if (found === undefined) throw new RangeError(`Cannot find organization of key "${key.id}"`);
    return found;
  }

  usedTokens(key: ModelKey, month: number): number {
    return sum(
      this.#settled(month, ({ key: { id } }) => id === key.id).map(({ tokens }) => tokens),
    );
  }

  heldTokens(key: ModelKey, month: number): number {
    return sum(this.#open(month, (call) => call.key.id === key.id).map((call) => call.heldTokens));
  }

  settledCost({ id }: ModelOrganization, month: number): number {
    return sum(
      this.#settled(month, ({ key }) => key.organizationId === id).map(({ cost }) => cost),
    );
  }

  /** Returns how many admissions of a key count in the rate limit now. */
  recent(key: ModelKey, nowMs: number): number {
    return this.calls.filter(
      (call) => call.key.id === key.id && nowMs - call.countsFromMs < MINUTE_MS,
    ).length;
  }

  #heldCost({ id }: ModelOrganization, month: number): number {
    return sum(
      this.#open(month, ({ key }) => key.organizationId === id).map((call) => call.heldCost),
    );
  }

  #trip(organization: ModelOrganization, month: number): void {
    if (this.settledCost(organization, month) >= organization.limitMicrocents) {
      organization.circuitOpen = true;
    }
  }

  #settled(month: number, belongs: (call: ModelCall) => boolean): ModelCall[] {
    return this.calls.filter(
      (call) => call.month === month && belongs(call) && ["posted", "expired"].includes(call.state),
    );
  }

  #open(month: number, belongs: (call: ModelCall) => boolean): ModelCall[] {
    return this.calls.filter(
      (call) => call.month === month && belongs(call) && call.state === "pending",
    );
  }
}
