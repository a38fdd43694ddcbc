import { versionFacts, versionLine } from "../version.ts";
import { type Command, JSON_FLAG } from "./command.ts";
import { EXIT } from "./exit_codes.ts";

/** Says which program this is. */
export const version: Command = {
  name: "version",
  group: "Other",
  summary: "Show the version",
  arguments: [],
  flags: [JSON_FLAG],
  examples: ["version", "version --json"],
  run: async ({ flags }) => {
    console.log(flags.has("--json") ? JSON.stringify(versionFacts()) : versionLine());
    return EXIT.ok;
  },
};
