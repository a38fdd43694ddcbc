/** What the load generator is to do: the same request over and over, on this many connections. */
export interface LoadPlan {
  readonly port: number;
  readonly connections: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** A file with one inference key per line; they are presented in turn. */
  readonly keysFile: string;
  readonly pace: Pace;
  /** What a whole answer looks like: a run with any other is void. */
  readonly expected: { readonly bodyBytesMin: number; readonly tail: string };
  /** The processes whose CPU time is measured. */
  readonly pids: readonly number[];
}

/** Calls for a time, after a beginning that does not count; or a number of calls on each connection. */
export type Pace =
  | { readonly kind: "seconds"; readonly warmUp: number; readonly seconds: number }
  | {
      readonly kind: "calls";
      readonly perConnection: number;
      /** No more calls are made after this time, however few there were. */
      readonly secondsMax?: number;
    };

/** What one run of the load generator measured. */
export interface LoadResult {
  readonly calls: number;
  readonly seconds: number;
  /** User and kernel time of the processes measured. */
  readonly cpuMs: number;
  /** From the request to the last byte of its answer. */
  readonly totalMs: Percentiles;
  /** From the request to the first byte of the answer's body. */
  readonly firstMs: Percentiles;
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** What the load generator sends back. */
export type LoadReport = { readonly result: LoadResult } | { readonly failure: string };
