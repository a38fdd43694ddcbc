/** Runs a program and returns what it printed. @throws {Error} If it fails, with what it said. */
export async function run(command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (child.exitCode === 0) return stdout;
  throw new Error(`Cannot run ${command.slice(0, 2).join(" ")}: it failed\n${stdout}${stderr}`);
}
