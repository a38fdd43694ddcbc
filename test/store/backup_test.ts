import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backUp, backUpToFile, type TargetFault } from "../../src/store/backup.ts";
import { DamagedDatabaseError } from "../../src/store/integrity.ts";
import { SCHEMA } from "../../src/store/migrate.ts";
import { Vault } from "../../src/store/vault.ts";
import { openWorkFolder } from "../../src/store/work_folder.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { NOW_MS } from "../support/store.ts";

const optionsFor = (databasePath: string) => ({
  databasePath,
  programVersion: "0.1.0",
  nowMs: NOW_MS,
});

interface Place {
  readonly database: TestDatabase;
  /** A folder for backups, empty but for what the test puts there. */
  readonly folder: string;
  readonly target: string;
}

async function withPlace(use: (place: Place) => Promise<void>): Promise<void> {
  const database = await openTestDatabase();
  using folder = openWorkFolder(tmpdir());
  try {
    await use({ database, folder: folder.path, target: join(folder.path, "backup.tar") });
  } finally {
    await database.close();
  }
}

/** Damages a closed database so that its start and its schema stay readable. */
function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes.fill(0, 5 * 4096, 6 * 4096);
  writeFileSync(path, bytes);
}

test("a backup says what it is and what it needs, and nobody else may read it", () =>
  withPlace(async ({ database, folder, target }) => {
    const vault = await Vault.open(database.db, crypto.getRandomValues(new Uint8Array(32)), NOW_MS);
    const manifest = await backUpToFile(target, false, optionsFor(database.path));
    const files = await new Bun.Archive(await Bun.file(target).bytes()).files();
    const copy = await files.get("inference-proxy.db")?.bytes();
    expect(manifest).toEqual({
      format: 1,
      created_at: "2026-06-15T12:00:00Z",
      program_version: "0.1.0",
      schema: SCHEMA,
      master_key_ids: [vault.keyId],
      database: {
        bytes: copy?.length ?? 0,
        sha256: Bun.SHA256.hash(copy ?? new Uint8Array(), "hex"),
      },
    });
    expect(await files.get("manifest.json")?.json()).toEqual(manifest);
    expect(statSync(target).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["backup.tar"]);
  }));

test("a file that is there is replaced only on demand", () =>
  withPlace(async ({ database, target }) => {
    writeFileSync(target, "kept");
    const options = optionsFor(database.path);
    await expect(backUpToFile(target, false, options)).rejects.toMatchObject({ fault: "exists" });
    expect(readFileSync(target, "utf8")).toBe("kept");
    await backUpToFile(target, true, options);
    expect(statSync(target).size).toBeGreaterThan(100_000);
  }));

const FAULTS: { name: string; fault: TargetFault; make: (target: string) => void }[] = [
  { name: "a folder", fault: "no_file", make: (target) => mkdirSync(target) },
  { name: "a link", fault: "no_file", make: (target) => symlinkSync("/dev/null", target) },
];

for (const { name, fault, make } of FAULTS) {
  test(`${name} in the place of a backup is left alone, even on demand`, () =>
    withPlace(async ({ database, folder, target }) => {
      make(target);
      const backedUp = backUpToFile(target, true, optionsFor(database.path));
      await expect(backedUp).rejects.toMatchObject({ fault });
      expect(readdirSync(folder)).toEqual(["backup.tar"]);
    }));
}

test("a folder that does not exist is said to be missing", () =>
  withPlace(async ({ database, folder }) => {
    const target = join(folder, "missing", "backup.tar");
    const backedUp = backUpToFile(target, false, optionsFor(database.path));
    await expect(backedUp).rejects.toMatchObject({ fault: "no_folder" });
  }));

test("a folder that cannot be written is said to be so", () =>
  withPlace(async ({ database }) => {
    const backedUp = backUpToFile("/proc/backup.tar", false, optionsFor(database.path));
    await expect(backedUp).rejects.toMatchObject({ fault: "not_writable" });
  }));

test("of a damaged database no backup is written, and the last good one stays", () =>
  withPlace(async ({ database, folder, target }) => {
    await backUpToFile(target, false, optionsFor(database.path));
    const good = readFileSync(target);
    const broken = join(folder, "broken.db");
    database.connection.run("vacuum into ?", [broken]);
    damage(broken);
    const backedUp = backUpToFile(target, true, optionsFor(broken));
    await expect(backedUp).rejects.toBeInstanceOf(DamagedDatabaseError);
    expect(readFileSync(target).equals(good)).toBe(true);
    expect(readdirSync(folder).toSorted()).toEqual(["backup.tar", "broken.db"]);
  }));

test("of a database whose rows contradict each other not one byte is written", () =>
  withPlace(async ({ database, folder }) => {
    database.connection.run("pragma foreign_keys = off");
    database.connection.run(
      "insert into memberships (organization_id, user_id, role, created_at_ms) values ('a', 'b', 'owner', 1)",
    );
    let written = 0;
    const backedUp = backUp(folder, optionsFor(database.path), () => void (written += 1));
    await expect(backedUp).rejects.toMatchObject({
      path: database.path,
      damage: expect.stringContaining("memberships"),
    });
    expect(written).toBe(0);
  }));

test("a database of another program is refused", () =>
  withPlace(async ({ folder, target }) => {
    const path = join(folder, "other.db");
    const other = new Database(path, { create: true });
    other.run("create table words (word text)");
    other.close();
    const backedUp = backUpToFile(target, false, optionsFor(path));
    await expect(backedUp).rejects.toBeInstanceOf(DamagedDatabaseError);
  }));
