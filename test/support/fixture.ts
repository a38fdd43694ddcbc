import { Database } from "bun:sqlite";
import { chmodSync, copyFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FixtureFacts } from "../../src/tools/fixture/lives.ts";
import type { UsageRow } from "./proxy.ts";

const FIXTURES = join(import.meta.dir, "../fixtures");

/** What a release left on a disk: a data directory whose process was killed, and a backup. */
export interface Fixture {
  readonly name: string;
  readonly facts: FixtureFacts;
  readonly backup: string;
  /** Copies the data directory to a folder that exists. */
  copyTo(folder: string): void;
}

/** The fixtures of all releases, oldest first. */
export const RELEASES: readonly Fixture[] = readdirSync(FIXTURES)
  .filter((name) => name.startsWith("release_"))
  .toSorted()
  .map((name) => {
    const folder = join(FIXTURES, name);
    return {
      name,
      facts: JSON.parse(readFileSync(join(folder, "facts.json"), "utf8")) as FixtureFacts,
      backup: join(folder, "backup.tar"),
      copyTo: (target) => {
        for (const file of ["inference-proxy.db", "inference-proxy.db-wal", "master.key"])
          copyFileSync(join(folder, file), join(target, file));
        // A checkout does not keep modes.
        chmodSync(join(target, "master.key"), 0o600);
      },
    };
  });

/** Points the provider configs of a closed data directory to another upstream, as if that had moved. */
export function moveUpstream(dataDir: string, from: string, to: string): void {
  const database = new Database(join(dataDir, "inference-proxy.db"));
  database.run("update provider_configs set base_url = replace(base_url, ?, ?)", [from, to]);
  database.close();
}

/** Adds up the usage of several rows. */
export function sumsOf(rows: readonly UsageRow[]) {
  const sum = (name: "calls" | "input_tokens" | "output_tokens" | "cost_microcents") =>
    rows.reduce((total, row) => total + row[name], 0);
  return {
    calls: sum("calls"),
    input: sum("input_tokens"),
    output: sum("output_tokens"),
    cost: sum("cost_microcents"),
  };
}
