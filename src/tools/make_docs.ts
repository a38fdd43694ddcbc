/**
 * Writes anew the parts of `src/docs/*.md` that are made from the program: settings, error codes, exit codes.
 *
 *     bun src/tools/make_docs.ts
 *
 * They stand between two remarks in each page; a test compares them with the program.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { withGeneratedParts } from "./docs/generated_parts.ts";

const FOLDER = join(import.meta.dir, "../docs");

for (const name of readdirSync(FOLDER).filter((one) => one.endsWith(".md"))) {
  const path = join(FOLDER, name);
  await Bun.write(path, withGeneratedParts(await Bun.file(path).text()));
}
