import type { HoldState } from "../../domain/hold.ts";
import { type Month, monthOf } from "../../domain/month.ts";
import type { Settlement } from "../../store/ledger.ts";
import type { SimulatedClock } from "./simulated_clock.ts";

/** An inference key of a simulation. Its limits change as it runs. */
export interface SimulatedKey {
  readonly id: string;
  readonly organizationId: string;
  monthlyTokenLimit: number;
  rateLimitRpm: number;
}

/** An organization's rules as the ledger should know them. */
export interface SimulatedOrganization {
  readonly id: string;
  limitMicrocents: number;
  circuitOpen: boolean;
}

/** What a crash would leave of a call in flight. */
export interface Checkpoint {
  readonly outputTokens: number;
  readonly costMicrocents: number;
  durable: boolean;
}

/** A call as it should stand in the ledger. */
export interface ReferenceCall {
  readonly id: string;
  readonly key: SimulatedKey;
  readonly heldTokens: number;
  readonly heldCostMicrocents: number;
  readonly estimatedInputTokens: number;
  readonly admittedTrueMs: number;
  readonly admittedWallMs: number;
  /** Which process admitted it. */
  readonly run: number;
  readonly month: Month;
  readonly checkpoints: Checkpoint[];
  state: HoldState;
  /** Tokens and cost charged; 0 while it is open and if it was voided. */
  tokens: number;
  costMicrocents: number;
  estimated: boolean;
  /** Whether its settlement must survive a crash. */
  durable: boolean;
}

const WINDOW_MS = 60_000;

/**
 * The ledger's rules once more, as plainly as they can be said: no counters, every decision adds up all
 * calls anew. What the real one decides is compared with it.
 */
export class ReferenceLedger {
  readonly calls: ReferenceCall[] = [];
  readonly organizations: ReadonlyMap<string, SimulatedOrganization>;
  readonly #clock: SimulatedClock;
  #month: Month = 0;
  #run = 0;
  #startTrueMs = 0;
  #startWallMs = 0;
  #setForwardTrueMs = -1;
  #trustedSinceMs = -1;

  constructor(organizations: readonly SimulatedOrganization[], clock: SimulatedClock) {
    this.organizations = new Map(organizations.map((one) => [one.id, one]));
    this.#clock = clock;
    this.begin();
  }

  get run(): number {
    return this.#run;
  }

  /** Begins a process. */
  begin(): void {
    this.#run += 1;
    this.#startTrueMs = this.#clock.trueMs;
    this.#startWallMs = this.#clock.wallMs();
    this.#trustedSinceMs = this.#setForwardTrueMs;
    const charged = this.calls.filter(isCharged).map((call) => call.month);
    this.#month = Math.max(monthOf(this.#startWallMs), ...charged);
  }

  /** Notes that the wall clock was set forward: calls of an earlier process then look older than they are. */
  wallSetForward(): void {
    this.#setForwardTrueMs = this.#clock.trueMs;
  }

  /** Returns the month that a call admitted now belongs to: it never goes backwards. */
  currentMonth(): Month {
    this.#month = Math.max(this.#month, monthOf(this.#clock.wallMs()));
    return this.#month;
  }

  /** Returns the code that a call must be refused with, or null if it must be admitted. */
  refusal(key: SimulatedKey): string | null {
    const month = this.currentMonth();
    const organization = this.organization(key.organizationId);
    this.tripIfOver(organization);
    const settled = this.settled(organization.id, month);
    const heldCost = sum(this.#open(month), (call) =>
      call.key.organizationId === organization.id ? call.heldCostMicrocents : 0,
    );
    if (organization.circuitOpen || settled + heldCost >= organization.limitMicrocents)
      return "cost_circuit_open";
    if (this.used(key, month) + this.held(key, month) >= key.monthlyTokenLimit)
      return "token_ceiling_exceeded";
    return this.waitMs(key) > 0 ? "rate_limited" : null;
  }

  /** Returns how long a key has to wait until its rate limit lets a call pass; 0 if it need not. */
  waitMs(key: SimulatedKey): number {
    const calls = this.calls.filter((call) => call.key === key);
    const agesMs = calls.map((call) => this.#ageMs(call)).sort((a, b) => a - b);
    // The calls of a minute are one too many until the oldest of the newest has left it.
    const decidingMs = agesMs[key.rateLimitRpm - 1] ?? Number.POSITIVE_INFINITY;
    return Math.max(0, WINDOW_MS - decidingMs);
  }

  /** Returns how many calls of a key the last minute of true time has seen, as far as clocks can be believed. */
  admittedInLastMinute(key: SimulatedKey): number {
    const sinceMs = this.#clock.trueMs - WINDOW_MS;
    return sum(this.calls, (call) => {
      const believed = call.run === this.#run || call.admittedTrueMs > this.#trustedSinceMs;
      return call.key === key && call.admittedTrueMs > sinceMs && believed ? 1 : 0;
    });
  }

  /** Settles an open call, and trips the cost circuit if the month is over its limit. */
  settle(call: ReferenceCall, { used }: Settlement): void {
    call.state = used === null ? "voided" : "posted";
    call.tokens = used === null ? 0 : used.usage.inputTokens + used.usage.outputTokens;
    call.costMicrocents = used?.costMicrocents ?? 0;
    call.estimated = used?.estimated ?? false;
    const month = this.currentMonth();
    if (call.month === month) this.tripIfOver(this.organization(call.key.organizationId));
  }

  /** Trips an organization's cost circuit if this month's settled cost is at its limit. */
  tripIfOver(organization: SimulatedOrganization): void {
    const settled = this.settled(organization.id, this.currentMonth());
    if (settled >= organization.limitMicrocents) organization.circuitOpen = true;
  }

  organization(id: string): SimulatedOrganization {
    const organization = this.organizations.get(id);
    if (organization === undefined) throw new RangeError(`Cannot find organization "${id}"`);
    return organization;
  }

  /** Returns an organization's settled cost of a month, in microcents. */
  settled(organizationId: string, month: Month): number {
    return sum(this.calls, (call) =>
      isCharged(call) && call.month === month && call.key.organizationId === organizationId
        ? call.costMicrocents
        : 0,
    );
  }

  /** Returns the tokens that a key has used in a month. */
  used(key: SimulatedKey, month: Month): number {
    return sum(this.calls, (call) =>
      isCharged(call) && call.month === month && call.key === key ? call.tokens : 0,
    );
  }

  /** Returns the tokens that a key's calls in flight hold of a month. */
  held(key: SimulatedKey, month: Month): number {
    return sum(this.#open(month), (call) => (call.key === key ? call.heldTokens : 0));
  }

  /** Notes that everything settled and noted so far is on disk. */
  flushed(): void {
    for (const call of this.calls) {
      if (call.state !== "pending") call.durable = true;
      for (const checkpoint of call.checkpoints) checkpoint.durable = true;
    }
  }

  #open(month: Month): ReferenceCall[] {
    return this.calls.filter((call) => call.state === "pending" && call.month === month);
  }

  /** A call of an earlier process is as old as the wall clock said at the start, rounded down. */
  #ageMs(call: ReferenceCall): number {
    if (call.run === this.#run) return this.#clock.trueMs - call.admittedTrueMs;
    const atStartMs = Math.max(0, this.#startWallMs - call.admittedWallMs - 1);
    return atStartMs + this.#clock.trueMs - this.#startTrueMs;
  }
}

function isCharged(call: ReferenceCall): boolean {
  return call.state === "posted" || call.state === "expired";
}

function sum<Value>(values: readonly Value[], of: (value: Value) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}
