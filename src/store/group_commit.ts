import type { Database } from "bun:sqlite";

/** Something to write, run inside a transaction. It may run again if that transaction fails. */
export type Write = () => void;

export interface GroupCommitOptions {
  readonly connection: Database;
  /** Called inside each transaction, after its writes: what they add up to is written once. */
  readonly beforeCommit: () => void;
  /** Called when a transaction is undone, whatever it had done so far. */
  readonly onFailure: (error: unknown) => void;
}

/** How long a settlement waits for company, in milliseconds. */
const COMPANY_MS = 2;

/** How long to wait before writing again what could not be written, in milliseconds. */
const RETRY_MS = 250;

/**
 * Commits writes together: one flush to disk serves all that came in the same turn of the event loop.
 *
 * Urgent writes go at the end of the turn and fail if their transaction fails; patient ones wait for
 * company and are kept until they are written, however long the disk is in trouble.
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

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#begin = options.connection.prepare("begin immediate");
    this.#end = options.connection.prepare("commit");
    this.#undo = options.connection.prepare("rollback");
  }

  /** Resolves once the write is on disk. @throws {SQLiteError} If it is not, and will not be. */
  urgent(write: Write): Promise<void> {
    this.#urgent.push(write);
    this.#batch ??= Promise.withResolvers();
    this.#turn ??= setImmediate(() => this.#commit());
    return this.#batch.promise;
  }

  /** Writes soon, and tries again for as long as it takes. */
  patient(write: Write): void {
    this.#patient.push(write);
    this.#commitIn(COMPANY_MS);
  }

  /** Whether every write is on disk. */
  get idle(): boolean {
    return this.#urgent.length === 0 && this.#patient.length === 0;
  }

  /** Writes now all that waits. Returns whether nothing is left. */
  async flush(): Promise<boolean> {
    while (this.#options.connection.inTransaction) await Bun.sleep(0);
    if (!this.idle) this.#commit();
    return this.idle;
  }

  #commitIn(delayMs: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#commit();
    }, delayMs);
  }

  #commit(): void {
    if (this.#turn !== null) clearImmediate(this.#turn);
    this.#turn = null;
    if (this.idle) return;
    const { connection, beforeCommit, onFailure } = this.#options;
    if (connection.inTransaction) {
      // A management transaction is open across its awaits: its rollback must not take ours along.
      this.#turn = setImmediate(() => this.#commit());
      return;
    }
    const batch = this.#batch;
    const urgent = this.#urgent;
    this.#batch = null;
    this.#urgent = [];
    try {
      this.#begin.run();
      for (const write of urgent) write();
      for (const write of this.#patient) write();
      beforeCommit();
      this.#end.run();
    } catch (error) {
      if (connection.inTransaction) this.#undo.run();
      onFailure(error);
      batch?.reject(error);
      if (this.#patient.length > 0) this.#commitIn(RETRY_MS);
      return;
    }
    this.#patient = [];
    batch?.resolve();
  }
}
