import type { Clock } from "../std/clock.ts";
import type { Log } from "../std/log.ts";
import { uuid7From } from "../std/uuid7.ts";
import type { Db } from "./tables.ts";

const HOUR_MS = 3_600_000;

/** How many calls are deleted at once: for that long nothing else is written, and no call served. */
export const STEP_CALLS_MAX = 250;

/** How long to pause between two steps while there is more to delete, in milliseconds. */
const PAUSE_MS = 50;

/** How long to wait when there is no more, in milliseconds. */
const REST_MS = 60_000;

/** Deletes the records of calls when they are old enough. What they add up to, by hour, day and month, stays. */
export class Retention {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #keepMs: number;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(db: Db, clock: Clock, log: Log, keepMs: number) {
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
    this.#keepMs = keepMs;
  }

  /** Begins at once, a little at a time, and goes on until it is stopped. */
  start(): void {
    this.#in(0);
  }

  /** Resolves when nothing more will be deleted. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
  }

  /**
   * Deletes some of the settled calls that were admitted long enough ago, the oldest first. A call that is
   * still open stays, however old it is.
   *
   * @returns How many; fewer than `STEP_CALLS_MAX` if no more are left.
   */
  async step(): Promise<number> {
    // Whole hours: usage within an hour is told from all of its calls, or from none.
    const beforeMs = Math.floor((this.#clock.wallMs() - this.#keepMs) / HOUR_MS) * HOUR_MS;
    const { numDeletedRows } = await this.#db
      .deleteFrom("calls")
      .where("id", "in", (row) =>
        row
          .selectFrom("calls")
          .select("id")
          .where("id", "<", uuid7From(beforeMs))
          .where("state", "!=", "pending")
          .orderBy("id")
          .limit(STEP_CALLS_MAX),
      )
      .executeTakeFirstOrThrow();
    return Number(numDeletedRows);
  }

  #in(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#run();
    }, delayMs);
  }

  async #run(): Promise<void> {
    try {
      const deleted = await this.step();
      this.#in(deleted < STEP_CALLS_MAX ? REST_MS : PAUSE_MS);
    } catch (error) {
      this.#log.error("cannot delete old calls", { error: String(error) });
      this.#in(REST_MS);
    }
  }
}
