/** What a process printed, and how it ended. */
export interface Output {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Reads what a process prints until it ends. */
export async function outputOf(
  child: Pick<Bun.ReadableSubprocess, "stdout" | "stderr" | "exited">,
): Promise<Output> {
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}
