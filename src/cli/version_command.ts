import { readFlags } from "../std/flags.ts";
import type { Command } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { versionFacts, versionLine } from "./version.ts";

/** Says which program this is. */
export const version: Command = {
  name: "version",
  summary: "Show the version",
  usage: "version [--json]",
  flags: ["  --json    As one JSON object"],
  examples: ["version", "version --json"],
  run: async (argv) => {
    const flags = readFlags(argv, { "--json": "switch" });
    console.log(flags.has("--json") ? JSON.stringify(versionFacts()) : versionLine());
    return EXIT.ok;
  },
};
