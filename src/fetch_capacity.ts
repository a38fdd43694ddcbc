/** Bun sends at most 256 requests at a time unless this is in the environment when the process begins. */
export const CAPACITY_NAME = "BUN_CONFIG_MAX_HTTP_REQUESTS";

/** Requests to providers at a time. Bun ignores anything above 65535. */
export const CAPACITY = "16384";

/**
 * Makes room for as many calls at a time as clients bring, once: the process becomes the same program again, with the
 * same arguments and process id, and the variable set. Called before anything is open.
 */
export function ensureFetchCapacity(): void {
  if (process.env[CAPACITY_NAME] !== undefined || process.execve === undefined) return;
  const command = restartCommand(process.argv, process.execArgv, {
    path: process.execPath,
    compiled: Bun.isStandaloneExecutable,
  });
  process.execve(process.execPath, command, { ...process.env, [CAPACITY_NAME]: CAPACITY });
}

/**
 * Returns the command line that runs this program again.
 *
 * @param argv As the process sees it: two words for the program, then its arguments.
 */
export function restartCommand(
  argv: readonly string[],
  execArgv: readonly string[],
  program: { readonly path: string; readonly compiled: boolean },
): string[] {
  // A compiled program brings its own runtime flags, and its second word is a path inside it.
  if (program.compiled) return [program.path, ...argv.slice(2)];
  return [program.path, ...execArgv, ...argv.slice(1)];
}
