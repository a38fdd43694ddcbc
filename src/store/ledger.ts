import { ProxyError } from "../domain/errors.ts";
import type { Ending } from "../domain/hold.ts";
import { ceilingRefusal, costRefusal, rateRefusal } from "../domain/limits.ts";
import { type Month, monthOf } from "../domain/month.ts";
import type { AppliedPrice } from "../domain/price.ts";
import type { Operation, ProviderId } from "../domain/provider.ts";
import { totalTokens, type Usage } from "../domain/usage.ts";
import type { Clock } from "../std/clock.ts";
import type { Log } from "../std/log.ts";
import { Histogram } from "../std/metrics.ts";
import {
  Accounts,
  type KeyAccount,
  type KeyMonth,
  type OrgAccount,
  type OrgMonth,
} from "./accounts.ts";
import { SQL } from "./asked_at_start.ts";
import { CostCircuits } from "./cost_circuits.ts";
import { GroupCommit } from "./group_commit.ts";
import { type LedgerStatements, prepareLedger } from "./ledger_statements.ts";
import { expireHolds, lastBilledMonth } from "./ledger_recovery.ts";
import { writeRates } from "./price_rates.ts";
import { RollUp } from "./roll_up.ts";
import type { Sqlite } from "./sqlite.ts";

/** A call that asks to be admitted, with what it may use at most as far as can be told. */
export interface AdmitRequest {
  readonly callId: string;
  readonly organizationId: string;
  readonly keyId: string;
  readonly monthlyTokenLimit: number;
  readonly rateLimitRpm: number;
  readonly provider: ProviderId;
  readonly operation: Operation;
  readonly requestedModel: string;
  readonly streamed: boolean;
  readonly estimatedInputTokens: number;
  readonly heldTokens: number;
  readonly heldCostMicrocents: number;
}

/** A reservation of tokens and money for one call in flight. */
export interface Hold extends AdmitRequest {
  readonly admittedAtMs: number;
  readonly keyMonth: KeyMonth;
  readonly orgMonth: OrgMonth;
  readonly orgAccount: OrgAccount;
}

/** How a call ended and what it used. Without usage the hold is voided: nothing was generated. */
export interface Settlement {
  readonly ending: Ending;
  readonly upstreamStatus: number | null;
  readonly servedModel: string | null;
  readonly used: {
    readonly usage: Usage;
    readonly costMicrocents: number;
    readonly price: AppliedPrice;
    readonly estimated: boolean;
  } | null;
}

/** Where a key stands against its rate limit. Times in milliseconds. */
export interface RateStatus {
  readonly limit: number;
  readonly remaining: number;
  readonly resetMs: number;
}

/** How long a commit takes, in seconds: mostly the disk's time to flush. */
const COMMIT_S = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/** How long a client should wait when the ledger cannot be written. */
const RETRY_AFTER_S = "2";

/**
 * Holds and settlements of all calls. Limits are decided in memory, in one step without an await; a hold
 * is on disk before `admit` resolves, and every call is settled once.
 */
export class Ledger {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #accounts: Accounts;
  readonly #statements: LedgerStatements;
  readonly #commits: GroupCommit;
  readonly #rollUp: RollUp;
  readonly #circuits: CostCircuits;
  /** How long commits take, in seconds. */
  readonly commitSeconds = new Histogram(COMMIT_S);
  /** The calls that an earlier process left open, and this start posted. */
  readonly expiredCalls: number;
  /** Writes what changes nothing. */
  readonly #touch;
  #month: Month;
  #inTrouble = false;
  #holds = 0;
  #commitBeganMs = 0;

  /** Posts what a crash left open, then is ready. */
  constructor(sqlite: Sqlite, clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#statements = prepareLedger(sqlite);
    this.#rollUp = new RollUp(this.#statements);
    const expired = expireHolds(sqlite, this.#statements, this.#rollUp, clock.wallMs());
    this.expiredCalls = expired.calls;
    this.#touch = sqlite.connection.prepare<unknown, []>(SQL.touch);
    if (expired.calls > 0)
      log.warn("posted calls that the last stop left open, as estimates", {
        calls: expired.calls,
        cost_circuits_tripped: expired.circuits,
      });
    this.#month = lastBilledMonth(sqlite);
    if (this.#currentMonth(clock.wallMs()) > monthOf(clock.wallMs()))
      log.warn("the clock is behind the last month that was billed", { month: this.#month });
    this.#accounts = new Accounts(sqlite, clock);
    this.#commits = new GroupCommit({
      connection: sqlite.connection,
      beforeCommit: () => {
        this.#commitBeganMs = clock.monotonicMs();
        this.#rollUp.write();
      },
      afterCommit: () => this.#written(),
      onFailure: (error) => this.#failed(error),
      onRefusal: (error) => log.error("dropped what cannot be written", { error: String(error) }),
    });
    this.#circuits = new CostCircuits(this.#statements, this.#commits, log);
  }

  /**
   * Admits a call: checks the cost circuit, the token ceiling and the rate limit, and places its hold.
   *
   * @throws {ProxyError} With the limit that refuses it, or `overloaded` if the hold cannot be written.
   */
  async admit(request: AdmitRequest): Promise<Hold> {
    const admittedAtMs = this.#clock.wallMs();
    const nowMs = this.#clock.monotonicMs();
    const { key, organization } = this.#accountsOf(request, this.#currentMonth(admittedAtMs));
    // A limit may have been lowered since the last settlement, or a crash come before the trip was written.
    this.#circuits.tripIfOver(organization, organization.current, admittedAtMs);
    const refusal = this.#refusal(request, key, organization, nowMs);
    if (refusal !== null) throw refusal;
    key.rate.add(nowMs);
    const hold: Hold = {
      ...request,
      admittedAtMs,
      keyMonth: key.current,
      orgMonth: organization.current,
      orgAccount: organization,
    };
    this.#count(hold, 1);
    try {
      await this.#commits.urgent(() => this.#insert(hold));
    } catch {
      this.#count(hold, -1);
      key.rate.takeBack(nowMs);
      throw overloaded();
    }
    return hold;
  }

  /** Notes what a stream has used so far: what a crash would leave to be posted. */
  checkpoint(hold: Hold, outputTokens: number, costMicrocents: number): void {
    this.#commits.patient(() => {
      this.#statements.checkpointCall.run(outputTokens, costMicrocents, hold.callId);
    });
  }

  /** Ends a call: posts what it used, or voids its hold. Its caller says it once. */
  settle(hold: Hold, settlement: Settlement): void {
    this.#count(hold, -1);
    const { used } = settlement;
    if (used !== null) {
      hold.keyMonth.used += totalTokens(used.usage);
      hold.orgMonth.settled += used.costMicrocents;
    }
    const endedAtMs = this.#clock.wallMs();
    this.#commits.patient(() => this.#write(hold, settlement, endedAtMs));
    // A call that ends after its month belongs to that month, and cannot stop this one.
    if (hold.orgMonth.month === this.#currentMonth(endedAtMs))
      this.#circuits.tripIfOver(hold.orgAccount, hold.orgMonth, endedAtMs);
  }

  /** The holds that are not settled. */
  get pendingHolds(): number {
    return this.#holds;
  }

  /** Returns whether calls can be written down. In trouble it finds out, for no call may come to do so. */
  async writable(): Promise<boolean> {
    return this.#inTrouble ? this.turn() : true;
  }

  /** Returns the month that calls admitted at a time are charged to. */
  month(wallMs: number): Month {
    return this.#currentMonth(wallMs);
  }

  /** Returns where a key stands against its rate limit now. */
  rateStatus(keyId: string, rateLimitRpm: number): RateStatus {
    const nowMs = this.#clock.monotonicMs();
    const rate = this.#accounts.rate(keyId);
    const remaining = rate.remaining(nowMs, rateLimitRpm);
    return { limit: rateLimitRpm, remaining, resetMs: rate.resetMs(nowMs) };
  }

  /** Returns the tokens that calls in flight hold of a key in this month. */
  heldTokens(keyId: string): number {
    const current = this.#accounts.knownKey(keyId)?.current;
    return current?.month === this.#currentMonth(this.#clock.wallMs()) ? current.held : 0;
  }

  /** Reads an organization's cost limit and circuit again, after its rows were changed. */
  organizationChanged(organizationId: string): void {
    const trippedAtMs = this.#circuits.unwrittenTripMs(organizationId);
    this.#accounts.settingsChanged(organizationId, trippedAtMs);
  }

  /** Resolves when it has come to write, as for a call: true if the disk took it. Never, if something holds it up. */
  async turn(): Promise<boolean> {
    // Only a real write tells whether the trouble is over.
    const touch = this.#inTrouble ? () => void this.#touch.run() : () => {};
    return this.#commits.urgent(touch).then(
      () => true,
      () => false,
    );
  }

  /** Writes now what waits. Returns whether everything is on disk. */
  flush(): Promise<boolean> {
    return this.#commits.flush();
  }

  /** Writes what waits and leaves the database alone from then on. Returns whether everything is on disk. */
  close(): Promise<boolean> {
    return this.#commits.close();
  }

  #accountsOf({ keyId, organizationId }: AdmitRequest, month: Month) {
    try {
      return {
        key: this.#accounts.key(keyId, month),
        organization: this.#accounts.organization(organizationId, month),
      };
    } catch (error) {
      this.#log.error("cannot read the ledger", { error: String(error) });
      throw overloaded();
    }
  }

  #written(): void {
    this.commitSeconds.observe((this.#clock.monotonicMs() - this.#commitBeganMs) / 1000);
    if (this.#commits.idle) {
      this.#circuits.written();
      this.#accounts.sweep();
    }
    if (!this.#inTrouble) return;
    this.#inTrouble = false;
    this.#log.info("the ledger is written again");
  }

  #failed(error: unknown): void {
    this.#rollUp.clear();
    if (this.#inTrouble) return;
    this.#inTrouble = true;
    this.#log.error("cannot write the ledger", { error: String(error) });
  }

  #refusal(
    request: AdmitRequest,
    key: KeyAccount,
    organization: OrgAccount,
    nowMs: number,
  ): ProxyError | null {
    const { current, circuitOpenedAtMs, limitMicrocents } = organization;
    const { month, used, held } = key.current;
    return (
      costRefusal({
        month,
        limitMicrocents: limitMicrocents ?? 0,
        settledMicrocents: current.settled,
        heldMicrocents: current.held,
        circuitOpenedAtMs,
      }) ??
      ceilingRefusal({ month, limit: request.monthlyTokenLimit, used, held }) ??
      rateRefusal(key.rate, nowMs, request.rateLimitRpm)
    );
  }

  #count(hold: Hold, sign: 1 | -1): void {
    this.#holds += sign;
    hold.keyMonth.held += sign * hold.heldTokens;
    hold.orgMonth.held += sign * hold.heldCostMicrocents;
  }

  /** A wall clock that is set back must not reopen a month that has been billed. */
  #currentMonth(wallMs: number): Month {
    const month = monthOf(wallMs);
    if (month > this.#month) this.#month = month;
    return this.#month;
  }

  #insert(hold: Hold): void {
    this.#statements.insertCall.run(
      hold.callId,
      hold.organizationId,
      hold.keyId,
      hold.provider,
      hold.operation,
      hold.requestedModel,
      hold.streamed ? 1 : 0,
      hold.admittedAtMs,
      hold.keyMonth.month,
      hold.heldTokens,
      hold.heldCostMicrocents,
      hold.estimatedInputTokens,
    );
  }

  #write(
    hold: Hold,
    { ending, servedModel, upstreamStatus, used }: Settlement,
    endedAtMs: number,
  ): void {
    const usage = used?.usage;
    const { changes } = this.#statements.settleCall.run(
      used === null ? "voided" : "posted",
      ending,
      endedAtMs,
      servedModel,
      upstreamStatus,
      used?.estimated ? 1 : 0,
      used?.price.id ?? null,
      used?.price.percent ?? null,
      used?.price.tierAbove ?? null,
      used === null ? null : writeRates(used.price.rates),
      usage?.cacheWrite1hTokens ?? 0,
      usage?.inputAudioTokens ?? 0,
      usage?.outputAudioTokens ?? 0,
      usage?.inputTokens ?? 0,
      usage?.cacheReadTokens ?? 0,
      usage?.cacheWriteTokens ?? 0,
      usage?.outputTokens ?? 0,
      usage?.reasoningTokens ?? 0,
      used?.costMicrocents ?? 0,
      hold.callId,
    );
    if (changes === 0 || used === null) return;
    this.#rollUp.add({
      organizationId: hold.organizationId,
      keyId: hold.keyId,
      provider: hold.provider,
      requestedModel: hold.requestedModel,
      admittedAtMs: hold.admittedAtMs,
      month: hold.keyMonth.month,
      estimated: used.estimated,
      usage: used.usage,
      costMicrocents: used.costMicrocents,
    });
  }
}

function overloaded(): ProxyError {
  return new ProxyError("overloaded", "Cannot admit call: the ledger cannot be written now", {
    headers: { "retry-after": RETRY_AFTER_S },
  });
}
