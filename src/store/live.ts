/**
 * The state that calls are decided on, kept in memory beside the rows. Whoever changes rows of keys,
 * provider configs or settings tells it in the same step, after the commit and before answering.
 */
export interface Live {
  /** Writes what the ledger still holds back, so that a report reads every settled call. */
  flush(): Promise<void>;
  /** Reads a key again before its next call. */
  keyChanged(keyId: string): void;
  /** Reads an organization's settings, provider configs and cost circuit again before its next call. */
  organizationChanged(organizationId: string): void;
  /** Returns the tokens that calls in flight hold of a key. */
  heldTokens(keyId: string): number;
}
