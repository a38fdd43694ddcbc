import type { Month } from "../domain/month.ts";
import type { Directory } from "./directory.ts";
import type { Ledger } from "./ledger.ts";

/**
 * The state that calls are decided on, kept in memory beside the rows. Whoever changes rows of keys,
 * provider configs, prices or settings tells it in the same step, after the commit and before answering.
 */
export class Live {
  readonly #directory: Directory;
  readonly #ledger: Ledger;

  constructor(directory: Directory, ledger: Ledger) {
    this.#directory = directory;
    this.#ledger = ledger;
  }

  /** Writes what the ledger still holds back, so that a report reads every settled call. */
  async flush(): Promise<void> {
    await this.#ledger.flush();
  }

  /** Reads a key again before its next call. */
  keyChanged(keyId: string): void {
    this.#directory.forgetKey(keyId);
  }

  /** Reads an organization's settings, provider configs, prices and cost circuit again before its next call. */
  organizationChanged(organizationId: string): void {
    this.#directory.forgetOrganization(organizationId);
    this.#ledger.organizationChanged(organizationId);
  }

  /**
   * Returns the month that calls are charged to at a time: the clock's, unless it was set back over the end
   * of a month that has been billed.
   */
  month(nowMs: number): Month {
    return this.#ledger.month(nowMs);
  }

  /** Returns the tokens that calls in flight hold of a key. */
  heldTokens(keyId: string): number {
    return this.#ledger.heldTokens(keyId);
  }
}
