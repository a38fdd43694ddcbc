import { runCli } from "./cli/cli.ts";

const exitCode = await runCli(process.argv.slice(2));
// What a slow reader has not taken yet would be lost with the process.
await new Promise<void>((resolve) => process.stdout.end(() => resolve()));
process.exit(exitCode);
