/** Stands where the ledger's memory would, and writes down what it was told. */
export interface RecordedLive {
  readonly told: string[];
  /** Runs whenever everything settled must be written: a test puts late rows there. */
  onFlush: () => Promise<void>;
  flush(): Promise<void>;
  keyChanged(keyId: string): void;
  organizationChanged(organizationId: string): void;
}

export function recordLive(): RecordedLive {
  const live: RecordedLive = {
    told: [],
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
