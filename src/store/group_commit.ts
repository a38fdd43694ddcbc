import type { Database } from "bun:sqlite";

/** Something to write, run inside a transaction. It may run again if that transaction fails. */
export type Write = () => void;

export interface GroupCommitOptions {
  readonly connection: Database;
  /** Called inside each transaction, after its writes: what they add up to is written once. */
  readonly beforeCommit: () => void;
  /** Called after each commit; patient writes may be left. */
  readonly afterCommit: () => void;
  /** Called when a transaction is undone, whatever it had done so far. */
  readonly onFailure: (error: unknown) => void;
  /** Called when a patient write is given up: the database will never take it. */
  readonly onRefusal: (error: unknown) => void;
}

/** How long a patient write waits for company, in milliseconds: the more come, the less each costs. */
const COMPANY_MS = 25;

/** As many as this wait for nobody: writing them must not stop everybody for long. */
const COMPANY_MAX = 256;

/** How long to wait before writing again what could not be written, in milliseconds. */
const RETRY_MS = 250;

/** Faults of a write, not of the disk: trying again cannot help. */
const REFUSAL = /^SQLITE_(CONSTRAINT|MISMATCH|RANGE|TOOBIG)/;

/**
 * Commits writes together: one flush to disk serves all that came in the same turn of the event loop.
 *
 * Urgent writes go at the end of the turn, by themselves, and fail if their transaction fails; patient ones wait
 * for company and are kept until they are written, however long the disk is in trouble.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #begin;
  readonly #end;
  readonly #undo;
  #urgent: Write[] = [];
  #patient: Write[] = [];
  #batch: PromiseWithResolvers<void> | null = null;
  #turn: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failing = false;
  #closed = false;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#begin = options.connection.prepare("begin immediate");
    this.#end = options.connection.prepare("commit");
    this.#undo = options.connection.prepare("rollback");
  }

  /** Resolves once the write is on disk. @throws {SQLiteError} If it is not, and will not be. */
  urgent(write: Write): Promise<void> {
    if (this.#closed) return Promise.reject(new Error("Cannot write: the database is closed"));
    this.#urgent.push(write);
    this.#batch ??= Promise.withResolvers();
    // Trying for each call would stop everybody for as long as the database may be waited for.
    if (!this.#failing) this.#turn ??= setImmediate(() => this.#commitTurn());
    return this.#batch.promise;
  }

  /** Writes soon, and tries again for as long as it takes. */
  patient(write: Write): void {
    this.#patient.push(write);
    if (this.#patient.length < COMPANY_MAX || this.#failing) this.#commitIn(COMPANY_MS);
    else this.#turn ??= setImmediate(() => this.#commitTurn());
  }

  /** Whether every write is on disk. */
  get idle(): boolean {
    return this.#urgent.length === 0 && this.#patient.length === 0;
  }

  /** Writes now all that waits. Returns whether nothing is left. */
  async flush(): Promise<boolean> {
    while (!this.#closed && this.#options.connection.inTransaction) await Bun.sleep(0);
    if (!this.idle) this.#commit();
    return this.idle;
  }

  /** Writes what waits and ends: nothing touches the database afterwards. Returns whether nothing is left. */
  async close(): Promise<boolean> {
    const flushed = await this.flush();
    this.#closed = true;
    this.#stopWaiting();
    return flushed;
  }

  #commitIn(delayMs: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#failing = false;
      this.#commit();
    }, delayMs);
  }

  /** Commits at the end of a turn: what is urgent, and the patient ones only if enough of them have come. */
  #commitTurn(): void {
    this.#commit(this.#patient.length >= COMPANY_MAX);
  }

  #commit(withPatient = true): void {
    if (this.#turn !== null) clearImmediate(this.#turn);
    this.#turn = null;
    const isIdle = withPatient ? this.idle : this.#urgent.length === 0;
    if (isIdle || this.#closed) return;
    if (this.#options.connection.inTransaction) {
      // A management transaction is open across its awaits: its rollback must not take ours along.
      this.#turn = setImmediate(() => this.#commit(withPatient));
      return;
    }
    const batch = this.#batch;
    const urgent = this.#urgent;
    this.#batch = null;
    this.#urgent = [];
    try {
      if (withPatient) this.#writeAll(urgent);
      else this.#transact(urgent, []);
    } catch (error) {
      if (!isRefusal(error)) this.#retryLater();
      batch?.reject(error);
      return;
    }
    if (this.#failing || this.#patient.length === 0) this.#stopWaiting();
    this.#options.afterCommit();
    batch?.resolve();
  }

  #retryLater(): void {
    this.#stopWaiting();
    this.#failing = true;
    this.#commitIn(RETRY_MS);
  }

  #stopWaiting(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#failing = false;
  }

  /** Writes these and all patient ones together. One that the database will never take must not stop the rest. */
  #writeAll(urgent: readonly Write[]): void {
    try {
      this.#transact(urgent, this.#patient);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#writePatientEach();
      this.#transact(urgent, []);
    }
    this.#patient = [];
  }

  #writePatientEach(): void {
    while (this.#patient.length > 0) {
      try {
        this.#transact([], this.#patient.slice(0, 1));
      } catch (error) {
        if (!isRefusal(error)) throw error;
        this.#options.onRefusal(error);
      }
      this.#patient.shift();
    }
  }

  #transact(urgent: readonly Write[], patient: readonly Write[]): void {
    const { connection, beforeCommit, onFailure } = this.#options;
    try {
      this.#begin.run();
      for (const write of urgent) write();
      for (const write of patient) write();
      beforeCommit();
      this.#end.run();
    } catch (error) {
      // Told first: undoing may fail as well, and what was added up is not written all the same.
      onFailure(error);
      if (connection.inTransaction) this.#undo.run();
      throw error;
    }
  }
}

function isRefusal(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return true;
  return error instanceof Error && "code" in error && REFUSAL.test(String(error.code));
}
