/** How a part of the torture is to be run. */
export interface PartOptions {
  /** The compiled program. */
  readonly binary: string;
  /** Whether there is time for everything. */
  readonly long: boolean;
  /** What chance begins with. The same seed does the same things; when they happen is up to the machine. */
  readonly seed: number;
}

/** Tortures one promise and returns what was seen, in one line. @throws {Violation} If the promise is broken. */
export type Part = (options: PartOptions) => Promise<string>;
