import { runCli } from "./cli/cli.ts";
import { handOver } from "./cli/hand_over.ts";

const exitCode = await runCli(process.argv.slice(2));
await handOver();
process.exit(exitCode);
