import { ensureFetchCapacity } from "./fetch_capacity.ts";

/** The commands that serve calls. */
const SERVING = new Set(["serve", "demo"]);

const argv = process.argv.slice(2);
// Before anything else is loaded: a process that becomes another would have loaded it in vain.
if (SERVING.has(argv[0] ?? "")) ensureFetchCapacity();
const { runCli } = await import("./cli/cli.ts");
const { handOver } = await import("./cli/hand_over.ts");
const exitCode = await runCli(argv);
await handOver();
process.exit(exitCode);
