import { openApiText } from "../reference.ts";
import type { Command } from "./command.ts";
import { EXIT } from "./exit_codes.ts";

/** Prints the description of both planes: the same document that a running proxy serves. */
export const openapi: Command = {
  name: "openapi",
  group: "Other",
  summary: "Print the API description, as OpenAPI 3.1",
  arguments: [],
  flags: [],
  notes: ["A running proxy serves the same at /openapi.json, and for people at /docs."],
  examples: ["openapi", "openapi > openapi.json"],
  run: async () => {
    process.stdout.write(await openApiText());
    return EXIT.ok;
  },
};
