import { type Month, monthOf } from "../../src/domain/month.ts";

/** Stands where the ledger's memory would, and writes down what it was told. */
export interface RecordedLive {
  readonly told: string[];
  /** Runs whenever everything settled must be written: a test puts late rows there. */
  onFlush: () => Promise<void>;
  /** The tokens that calls in flight hold, by the id of their key. */
  readonly held: Map<string, number>;
  flush(): Promise<void>;
  month(nowMs: number): Month;
  heldTokens(keyId: string): number;
  keyChanged(keyId: string): void;
  organizationChanged(organizationId: string): void;
}

export function recordLive(): RecordedLive {
  const live: RecordedLive = {
    told: [],
    held: new Map(),
    month: monthOf,
    heldTokens: (keyId) => live.held.get(keyId) ?? 0,
    onFlush: async () => {},
    flush: async () => {
      live.told.push("flush");
      await live.onFlush();
    },
    keyChanged: (keyId) => {
      live.told.push(`key ${keyId}`);
    },
    organizationChanged: (organizationId) => {
      live.told.push(`organization ${organizationId}`);
    },
  };
  return live;
}
