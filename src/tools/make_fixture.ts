/**
 * Writes what this release leaves on a disk, for the next releases to be tested with:
 *
 *     bun src/tools/make_fixture.ts
 *
 * The folder is named after the version in package.json, such as test/fixtures/release_0_1. It holds a data
 * directory whose process was killed, a backup taken just before, and what a reader should find in both. The
 * folder of a release that is out is never written again.
 */
import { Database } from "bun:sqlite";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { databasePath } from "../app.ts";
import { startStandIn } from "../stand_in/stand_in.ts";
import { backUpToFile } from "../store/backup.ts";
import { FixtureClock } from "./fixture/fixture_clock.ts";
import { FixtureProxy, MASTER_KEY_FILE } from "./fixture/fixture_proxy.ts";
import { firstLife, secondLife } from "./fixture/lives.ts";

/** Test data, and never a secret: it seals nothing but the keys of the stand-in. */
const MASTER_KEY = Bun.SHA256.hash("the master key of the fixtures", "hex");

async function makeFixture(folder: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), "inference-proxy-fixture-"));
  const standIn = startStandIn();
  const clock = new FixtureClock(Date.UTC(2026, 4, 30, 22, 15));
  const open = (dataDir: string) => FixtureProxy.open({ dataDir, clock, standIn });
  try {
    const [first, second] = [join(work, "first"), join(work, "second")];
    mkdirSync(first);
    writeFileSync(join(first, MASTER_KEY_FILE), `${MASTER_KEY}\n`, { mode: 0o600 });
    const beginning = await open(first);
    const organizations = await firstLife(beginning, clock);
    copyAsKilled(first, second);
    await beginning.abandon();

    const end = await open(second);
    const facts = await secondLife(end, clock, organizations, () => emptyLog(second));
    rmSync(folder, { recursive: true, force: true });
    copyAsKilled(second, folder);
    await backUpToFile(join(folder, "backup.tar"), false, {
      databasePath: databasePath(second),
      programVersion: packageJson.version,
      nowMs: clock.wallMs(),
    });
    await end.abandon();
    writeFileSync(join(folder, "facts.json"), `${JSON.stringify(facts, null, 2)}\n`);
  } finally {
    await standIn.stop();
    rmSync(work, { recursive: true });
  }
}

/** Copies what a kill at this moment would leave: the database, its log, and the master key. */
function copyAsKilled(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  const database = databasePath(from);
  copyFileSync(database, databasePath(to));
  copyFileSync(`${database}-wal`, `${databasePath(to)}-wal`);
  copyFileSync(join(from, MASTER_KEY_FILE), join(to, MASTER_KEY_FILE));
}

function emptyLog(dataDir: string): void {
  const database = new Database(databasePath(dataDir));
  database.run("pragma wal_checkpoint(truncate)");
  database.close();
}

const [major, minor] = packageJson.version.split(".");
const folder = resolve(import.meta.dir, `../../test/fixtures/release_${major}_${minor}`);
await makeFixture(folder);
console.log(folder);
process.exit(0);
