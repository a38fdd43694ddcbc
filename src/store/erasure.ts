import type { Log } from "../std/log.ts";
import type { Db } from "./tables.ts";
import { truncateLog } from "./truncate_log.ts";

/** How long to wait for whoever reads the database before trying again, in milliseconds. */
const RETRY_MS = 5_000;

/** Takes what was deleted out of the database's files, however long somebody else reads them. */
export class Erasure {
  readonly #db: Db;
  readonly #log: Log;
  readonly #retryMs: number;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(db: Db, log: Log, retryMs = RETRY_MS) {
    this.#db = db;
    this.#log = log;
    this.#retryMs = retryMs;
  }

  /** Erases now. While another process reads the database, goes on trying after it has resolved. */
  async erase(): Promise<void> {
    if (await this.#try()) return;
    this.#log.warn("deleted secrets stay in the log until another process ends its reading");
    this.#retry();
  }

  /** Ends the trying: closing the database empties its log as well. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #retry(): void {
    if (this.#stopped) return;
    this.#timer ??= setTimeout(() => void this.#tryAgain(), this.#retryMs);
  }

  async #tryAgain(): Promise<void> {
    this.#timer = null;
    if (!(await this.#try())) this.#retry();
  }

  async #try(): Promise<boolean> {
    try {
      return this.#stopped || (await truncateLog(this.#db));
    } catch (error) {
      // The change itself is committed, and must not be reported as failed.
      this.#log.error("cannot empty the database's log", { error: String(error) });
      return false;
    }
  }
}
