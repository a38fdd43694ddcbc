import type { Database } from "bun:sqlite";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { firstOrganization, startOurs } from "./ours.ts";
import { startBinary } from "./binary.ts";
import type { Rig } from "./rig.ts";
import { openForSeeding, seedCalls, seedKeys } from "./seed.ts";

/** Large databases take their time to make, so they outlive the run that made them. */
const FOLDER = resolve("dist/bench-data");

/** A data directory, and the keys that calls on it present. */
export interface Grown {
  readonly dataDir: string;
  readonly keysFile: string;
}

/** Returns a data directory with this many inference keys, made if it is not there. */
export async function databaseWithKeys(rig: Rig, count: number): Promise<Grown> {
  const folder = join(FOLDER, `keys-${count}`);
  const keysFile = join(folder, "keys.txt");
  const dataDir = await grown(rig, folder, async (database, organizationId) => {
    const keys = seedKeys(database, organizationId, count);
    await Bun.write(keysFile, keys.join("\n"));
  });
  return { dataDir, keysFile };
}

/** Returns a data directory with this many recorded calls, made if it is not there. */
export async function databaseWithCalls(rig: Rig, count: number): Promise<Grown> {
  const folder = join(FOLDER, `calls-${count}`);
  const dataDir = await grown(rig, folder, async (database, organizationId) =>
    seedCalls(database, organizationId, count),
  );
  return { dataDir, keysFile: join(dataDir, "bench-keys.txt") };
}

/** Lets the proxy create the database and its first keys, and then fills it. */
async function grown(
  rig: Rig,
  folder: string,
  fill: (database: Database, organizationId: string) => Promise<void>,
): Promise<string> {
  const dataDir = join(folder, "data");
  const stamp = join(folder, `complete-${await schemaHash()}`);
  if (existsSync(stamp)) return dataDir;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { binary } = rig.options;
  const options = { binary, dataDir, upstreamPort: rig.upstreamPort, synchronous: "full" } as const;
  const ours = await startOurs({ ...options, name: "ours" });
  const organizationId = await firstOrganization(ours.port);
  await ours.stop();
  const database = openForSeeding(join(dataDir, "inference-proxy.db"));
  await fill(database, organizationId);
  database.close();
  // The first start after it moves what is still in the log, and must not be measured.
  await (await startBinary(options)).stop();
  await Bun.write(stamp, "");
  return dataDir;
}

/** Tells whether a database was made by the migrations as they are now: unreleased ones may change. */
async function schemaHash(): Promise<string> {
  const folder = join(import.meta.dir, "../../../migrations");
  const names = [...new Bun.Glob("*.ts").scanSync({ cwd: folder })].sort();
  const texts = await Promise.all(names.map((name) => Bun.file(join(folder, name)).text()));
  return Bun.hash(texts.join("\n")).toString(16);
}
