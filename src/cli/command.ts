/** One word of the command line and what it does. */
export interface Command {
  readonly name: string;
  /** One sentence without its full stop. */
  readonly summary: string;
  /** The command and what may follow it. */
  readonly usage: string;
  /** What help says about its flags, line by line. */
  readonly flags: readonly string[];
  readonly examples: readonly string[];
  /** Runs it on what follows the name, and returns the exit code. Failures are thrown. */
  run(argv: readonly string[]): Promise<number>;
}
