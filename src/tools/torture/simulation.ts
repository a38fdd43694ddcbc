import { Database } from "bun:sqlite";
import { MICROCENTS_PER_CENT } from "../../domain/limits.ts";
import { monthOf, nextMonthStartMs } from "../../domain/month.ts";
import type { Hold } from "../../store/ledger.ts";
import type { Random } from "./random.ts";
import {
  circuitFaults,
  crashFaults,
  openCircuits,
  readCalls,
  writtenFaults,
} from "./reference_check.ts";
import {
  type ReferenceCall,
  ReferenceLedger,
  type SimulatedKey,
  type SimulatedOrganization,
} from "./reference_ledger.ts";
import { admitRequest, newCall, newSettlement, refusalCode } from "./simulated_call.ts";
import { SimulatedClock } from "./simulated_clock.ts";
import {
  killedCopy,
  type SimulatedProcess,
  startProcess,
  stopProcess,
} from "./simulated_process.ts";
import { changeSettings } from "./simulated_settings.ts";
import { mustHold, Violation } from "./violation.ts";

/** What may happen next, and how often. */
const OPERATIONS = {
  admit: 30,
  settle: 24,
  checkpoint: 8,
  wait: 14,
  setWall: 3,
  changeSettings: 6,
  changeKey: 3,
  flush: 4,
  lock: 2,
  refuseOne: 1,
  crash: 3,
  crashWhileAdmitting: 2,
  restart: 1,
};

/** A month that ends at night, in winter, with a year. */
const START_MS = Date.UTC(2026, 11, 31, 22);

const SECOND_MS = 1000;
const HOUR_MS = 3600 * SECOND_MS;
const DAY_MS = 24 * HOUR_MS;

/** A call on its way to an answer of the ledger, and what the answer must be. */
interface Attempt {
  readonly call: ReferenceCall;
  readonly expected: string | null;
  /** How long the client should be told to wait, if it is its rate limit that refuses. */
  readonly waitMs: number;
  readonly hold: Promise<Hold>;
}

/** The real ledger and a plain one side by side, under operations that a seed decides. */
export class Simulation {
  /** What has happened, newest last. */
  readonly trace: string[] = [];
  readonly #random: Random;
  readonly #folder: string;
  readonly #clock = new SimulatedClock(START_MS);
  readonly #keys: readonly SimulatedKey[];
  readonly #reference: ReferenceLedger;
  readonly #holds = new Map<ReferenceCall, Hold>();
  #process: SimulatedProcess;
  #wasLocked = false;

  /**
   * @param folder Where the database of each process is left.
   * @param path A database with these organizations and their settings, for this simulation alone.
   */
  constructor(
    random: Random,
    folder: string,
    path: string,
    organizations: readonly SimulatedOrganization[],
  ) {
    this.#random = random;
    this.#folder = folder;
    this.#keys = ["a", "b", "c"].map((name, index) => ({
      id: `key-${name}`,
      organizationId: (organizations[index] ?? random.pick(organizations)).id,
      ...this.#keyLimits(),
    }));
    this.#reference = new ReferenceLedger(organizations, this.#clock);
    this.#clock.boot();
    this.#process = startProcess(path, this.#clock);
  }

  /** Does one thing and looks at everything. @throws {Violation} If a promise is broken. */
  async step(): Promise<void> {
    const operation = this.#random.weighted(OPERATIONS);
    this.trace.push(operation);
    await this[operation]();
    mustHold("The sums are not those of the calls", this.#process.sumFaults());
  }

  /** Ends the last process and looks at what it leaves. */
  async end(): Promise<void> {
    await this.flush();
    await stopProcess(this.#process);
  }

  protected async admit(): Promise<void> {
    await this.#resolve(this.#attempts(this.#random.between(1, 4)));
  }

  protected async settle(): Promise<void> {
    this.#settleAny();
  }

  protected async checkpoint(): Promise<void> {
    const call = this.#anyOpen();
    if (call === null) return;
    const last = call.checkpoints.at(-1) ?? { outputTokens: 0, costMicrocents: 0 };
    const next = {
      outputTokens: last.outputTokens + this.#random.between(1, 200),
      costMicrocents: last.costMicrocents + this.#random.between(0, 500_000),
      durable: false,
    };
    call.checkpoints.push(next);
    this.#process.ledger.checkpoint(this.#holdOf(call), next.outputTokens, next.costMicrocents);
  }

  protected async wait(): Promise<void> {
    const wallMs = this.#clock.wallMs();
    const toMonthEndMs = nextMonthStartMs(monthOf(wallMs)) - wallMs;
    const kind = this.#random.weighted({ moment: 8, seconds: 8, minute: 5, hours: 1, month: 1 });
    const waits = {
      moment: this.#random.next() * 50,
      seconds: this.#random.next() * 20 * SECOND_MS,
      minute: 58 * SECOND_MS + this.#random.next() * 4 * SECOND_MS,
      hours: this.#random.next() * 5 * HOUR_MS,
      month: Math.max(0, toMonthEndMs + this.#random.between(-2, 2)),
    };
    this.#note(kind, waits[kind]);
    this.#clock.advance(waits[kind]);
  }

  protected async setWall(): Promise<void> {
    const most = this.#random.pick([50, 2 * SECOND_MS, 90 * SECOND_MS, 2 * HOUR_MS, 35 * DAY_MS]);
    const byMs = this.#random.between(-most, most);
    this.#note(byMs);
    this.#clock.setWall(byMs);
    if (byMs > 0) this.#reference.wallSetForward();
  }

  protected async changeSettings(): Promise<void> {
    const organization = this.#random.pick([...this.#reference.organizations.values()]);
    const month = monthOf(this.#clock.wallMs());
    const settledCents = this.#reference.settled(organization.id, month) / MICROCENTS_PER_CENT;
    const limitCents = Math.max(1, Math.floor(settledCents) + this.#random.between(-3, 25));
    const change = {
      ...(this.#random.chance(0.7) ? { monthly_cost_limit_cents: limitCents } : {}),
      ...(this.#random.chance(0.5) ? { reset_circuit: true } : {}),
    };
    this.#note(JSON.stringify(change));
    await changeSettings(organization, change, {
      process: this.#process,
      clock: this.#clock,
      reference: this.#reference,
      // What else the event loop does while the change waits for the database.
      meanwhile: () => {
        if (this.#random.chance(0.5)) this.#settleAny();
      },
    });
  }

  protected async changeKey(): Promise<void> {
    Object.assign(this.#random.pick(this.#keys), this.#keyLimits());
  }

  protected async flush(): Promise<void> {
    const { ledger, sqlite } = this.#process;
    mustHold(
      "A flush did not write everything",
      (await ledger.flush()) ? [] : ["it says so itself"],
    );
    this.#reference.flushed();
    const rows = readCalls(sqlite.connection);
    mustHold("What was written is wrong", writtenFaults(this.#reference, rows));
    mustHold("A circuit is wrong", circuitFaults(this.#reference, sqlite.connection));
  }

  /** Another process holds the database for a while: nothing can be written, and nothing is lost. */
  protected async lock(): Promise<void> {
    const other = new Database(this.#process.path);
    other.run("begin immediate");
    const attempts = this.#attempts(this.#random.between(1, 3));
    const admitted = attempts.filter(({ expected }) => expected === null).map(({ call }) => call);
    const { ledger } = this.#process;
    if (this.#random.chance(0.5)) this.#settleAny();
    await ledger.flush();
    for (const call of admitted) this.#forget(call);
    await this.#resolve(
      attempts.map((attempt) => ({ ...attempt, expected: attempt.expected ?? "overloaded" })),
    );
    if (this.#random.chance(0.5)) this.#settleAny();
    if (this.#random.chance(0.3)) await ledger.flush();
    other.run("rollback");
    other.close();
    this.#wasLocked = true;
    await this.flush();
  }

  /** The database will never take one settlement: the others are written, and a crash finds that one open. */
  protected async refuseOne(): Promise<void> {
    const calls = [...this.#holds.keys()].slice(0, 3);
    if (calls.length === 0) return;
    await this.flush();
    const refused = this.#random.pick(calls);
    const { ledger, sqlite } = this.#process;
    sqlite.connection.run(
      `create temp trigger refuse before update on calls when old.id = '${refused.id}'
        begin select raise(abort, 'refused'); end`,
    );
    for (const call of calls) this.#settleCall(call);
    mustHold("A refused write stops the others", (await ledger.flush()) ? [] : ["they still wait"]);
    sqlite.connection.run("drop trigger refuse");
    this.#reference.flushed();
    refused.durable = false;
    await this.#crash();
  }

  protected async crash(): Promise<void> {
    await this.#crash();
  }

  protected async crashWhileAdmitting(): Promise<void> {
    const attempts = this.#attempts(this.#random.between(1, 3));
    for (const { call, expected } of attempts) if (expected === null) this.#forget(call);
    for (const { hold } of attempts) hold.catch(() => {});
    await this.#crash();
  }

  protected async restart(): Promise<void> {
    for (const call of this.#holds.keys()) this.#settleCall(call);
    await this.flush();
    await stopProcess(this.#process);
    this.#start(this.#process.path);
  }

  async #crash(): Promise<void> {
    const killed = this.#process;
    const copy = killedCopy(killed, this.#folder, `${this.#reference.run}.db`);
    await stopProcess(killed);
    this.#holds.clear();
    const left = new Database(copy);
    const rows = readCalls(left);
    mustHold("A crash broke a promise", crashFaults(this.#reference, rows));
    const before = openCircuits(left);
    left.close();
    if (this.#random.chance(0.3)) this.#clock.advance(this.#random.next() * 70 * SECOND_MS);
    this.#start(copy);
    this.#recovered(
      before,
      [...rows.values()].some((row) => row.state === "pending"),
    );
  }

  #start(path: string): void {
    this.#clock.boot();
    this.#reference.begin();
    this.#process = startProcess(path, this.#clock);
  }

  /** Looks at what a start has made of what a crash left. */
  #recovered(before: ReadonlySet<string>, expired: boolean): void {
    const { connection } = this.#process.sqlite;
    mustHold("The recovery is wrong", writtenFaults(this.#reference, readCalls(connection)));
    for (const organization of this.#reference.organizations.values()) {
      organization.circuitOpen = before.has(organization.id);
      if (expired) this.#reference.tripIfOver(organization);
    }
    mustHold("A circuit is wrong", circuitFaults(this.#reference, connection));
  }

  /** Asks for admissions at once, and lets the reference decide the same ones. */
  #attempts(count: number): Attempt[] {
    const key = this.#random.pick(this.#keys);
    return Array.from({ length: count }, () => this.#attempt(key));
  }

  #attempt(key: SimulatedKey): Attempt {
    const expected = this.#reference.refusal(key);
    const waitMs = this.#reference.waitMs(key);
    const call = newCall(key, this.#reference, this.#clock, this.#random);
    if (expected === null) this.#mustFitWindow(key);
    const hold = this.#process.ledger.admit(admitRequest(call));
    if (expected === null) this.#reference.calls.push(call);
    this.#mustHoldTokens(key);
    return { call, expected, waitMs, hold };
  }

  async #resolve(attempts: readonly Attempt[]): Promise<void> {
    // After a failure the ledger takes its time before it tries again, and nobody here has that time.
    if (this.#wasLocked) await this.#process.ledger.flush();
    const results = await Promise.allSettled(attempts.map(({ hold }) => hold));
    for (const [index, { call, expected, waitMs }] of attempts.entries()) {
      const result = results[index];
      if (result?.status === "fulfilled") this.#holds.set(call, result.value);
      const found = result?.status === "rejected" ? refusalCode(result.reason, waitMs) : null;
      this.#note(found ?? "admitted");
      if (found === expected) continue;
      throw new Violation(`A call was ${found ?? "admitted"}, should be ${expected ?? "admitted"}`);
    }
    if (results.some(({ status }) => status === "fulfilled")) this.#wasLocked = false;
  }

  #mustFitWindow(key: SimulatedKey): void {
    const count = this.#reference.admittedInLastMinute(key);
    if (count < key.rateLimitRpm) return;
    throw new Violation(
      `The last minute has ${count} calls of a key that may make ${key.rateLimitRpm}`,
    );
  }

  #mustHoldTokens(key: SimulatedKey): void {
    const expected = this.#reference.held(key, this.#reference.currentMonth());
    const held = this.#process.ledger.heldTokens(key.id);
    if (held !== expected)
      throw new Violation(`A key holds ${held} tokens, should hold ${expected}`);
  }

  #settleAny(): void {
    const call = this.#anyOpen();
    if (call !== null) this.#settleCall(call);
  }

  #settleCall(call: ReferenceCall): void {
    const settlement = newSettlement(call, this.#random);
    this.#process.ledger.settle(this.#holdOf(call), settlement);
    this.#reference.settle(call, settlement);
    this.#holds.delete(call);
  }

  #anyOpen(): ReferenceCall | null {
    const open = [...this.#holds.keys()];
    return open.length === 0 ? null : this.#random.pick(open);
  }

  #holdOf(call: ReferenceCall): Hold {
    const hold = this.#holds.get(call);
    if (hold === undefined) throw new RangeError(`Cannot find the hold of call ${call.id}`);
    return hold;
  }

  #forget(call: ReferenceCall): void {
    this.#reference.calls.splice(this.#reference.calls.indexOf(call), 1);
  }

  #keyLimits() {
    return {
      monthlyTokenLimit: this.#random.between(200, 20_000),
      rateLimitRpm: this.#random.pick([1, 2, 5, 10, 60]),
    };
  }

  #note(...words: (string | number)[]): void {
    this.trace.push(`  ${words.join(" ")}`);
  }
}
