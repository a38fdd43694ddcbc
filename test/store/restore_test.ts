import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backUpToFile } from "../../src/store/backup.ts";
import { DataDirLockedError, openDataDir } from "../../src/store/data_dir.ts";
import { NewerSchemaError, SCHEMA } from "../../src/store/migrate.ts";
import { DatabaseExistsError, type Restored, restoreBackup } from "../../src/store/restore.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { Vault } from "../../src/store/vault.ts";
import { openWorkFolder } from "../../src/store/work_folder.ts";
import { backupOf, pieces } from "../support/backup.ts";
import { openTestDatabase } from "../support/database.ts";
import { ACT, NOW_MS } from "../support/store.ts";

const isRoot = process.geteuid?.() === 0;
const LOCK = "inference-proxy.lock";

/** A backup of a database with two organizations. */
let backup: Uint8Array;
let masterKeyId: string;

/** The same database, with changes that make it one that must not be restored. */
const altered = openWorkFolder(tmpdir());
afterAll(() => altered[Symbol.dispose]());

beforeAll(async () => {
  const database = await openTestDatabase();
  for (const slug of ["acme", "other"])
    await createOrganization(database.db, ACT, { name: slug, slug });
  const key = crypto.getRandomValues(new Uint8Array(32));
  masterKeyId = (await Vault.open(database.db, key, NOW_MS)).keyId;
  const target = join(altered.path, "backup.tar");
  await backUpToFile(target, false, {
    databasePath: database.path,
    programVersion: "0.1.0",
    nowMs: NOW_MS,
  });
  backup = new Uint8Array(readFileSync(target));
  database.connection.run("vacuum into ?", [join(altered.path, "plain.db")]);
  await database.close();
});

/** Copies the database, changes the copy and packs it. */
async function backupWith(change: (path: string) => void): Promise<Uint8Array> {
  const path = join(altered.path, "changed.db");
  copyFileSync(join(altered.path, "plain.db"), path);
  change(path);
  return backupOf(path, SCHEMA);
}

function run(path: string, statement: string): void {
  const database = new Database(path);
  database.run(statement);
  database.close();
}

interface Place {
  readonly dataDir: string;
  readonly path: string;
  restore(archive: Uint8Array, force?: boolean): Promise<Restored>;
}

/** Calls back with a data directory that does not exist yet. */
async function withPlace(use: (place: Place) => Promise<void>): Promise<void> {
  using parent = openWorkFolder(tmpdir());
  const dataDir = join(parent.path, "data");
  const path = join(dataDir, "inference-proxy.db");
  const restore = (archive: Uint8Array, force = false) =>
    restoreBackup(pieces(archive), { dataDir, databasePath: path, force, nowMs: NOW_MS });
  await use({ dataDir, path, restore });
}

function slugsIn(path: string): string[] {
  const database = new Database(path);
  const rows = database.query<{ slug: string }, []>("select slug from organizations").all();
  database.close();
  return rows.map(({ slug }) => slug).toSorted();
}

/** What every file of a folder holds, but for the lock. */
function contents(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => !name.startsWith(LOCK));
  return Object.fromEntries(
    names.toSorted().map((name) => [name, readFileSync(join(folder, name)).toString("base64")]),
  );
}

test("a backup is restored to a directory that does not exist yet", () =>
  withPlace(async ({ dataDir, path, restore }) => {
    const restored = await restore(backup);
    expect(restored).toMatchObject({
      manifest: { created_at: "2026-06-15T12:00:00Z", schema: SCHEMA, program_version: "0.1.0" },
      inventory: { organizations: 2, providerConfigs: 0, inferenceKeys: 0 },
      masterKeyIds: [masterKeyId],
      keptAside: null,
    });
    expect(readdirSync(dataDir).toSorted()).toEqual(["inference-proxy.db", LOCK]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(slugsIn(path)).toEqual(["acme", "other"]);
  }));

test("a database that is there is not touched", () =>
  withPlace(async ({ dataDir, path, restore }) => {
    mkdirSync(dataDir);
    writeFileSync(path, "a database");
    await expect(restore(backup)).rejects.toBeInstanceOf(DatabaseExistsError);
    expect(contents(dataDir)).toEqual({ "inference-proxy.db": btoa("a database") });
  }));

test("a log that lost its database is not given to another one", () =>
  withPlace(async ({ dataDir, path, restore }) => {
    mkdirSync(dataDir);
    writeFileSync(`${path}-wal`, "a log");
    await expect(restore(backup)).rejects.toBeInstanceOf(DatabaseExistsError);
    const { keptAside } = await restore(backup, true);
    expect(readFileSync(`${keptAside}-wal`, "utf8")).toBe("a log");
    expect(slugsIn(path)).toEqual(["acme", "other"]);
  }));

test("on demand a database is kept aside, with what is in its log", () =>
  withPlace(async ({ dataDir, path, restore }) => {
    mkdirSync(dataDir);
    const elsewhere = join(altered.path, "elsewhere.db");
    const { connection } = openSqlite(elsewhere);
    connection.run("create table organizations (slug text)");
    connection.run("pragma wal_checkpoint(truncate)");
    connection.run("insert into organizations values ('only in the log')");
    for (const ending of ["", "-wal", "-shm"]) copyFileSync(elsewhere + ending, path + ending);
    connection.close();

    const { keptAside } = await restore(backup, true);
    expect(keptAside).toBe(`${path}.before-restore-20260615T120000Z`);
    expect(slugsIn(path)).toEqual(["acme", "other"]);
    expect(slugsIn(keptAside ?? "")).toEqual(["only in the log"]);

    const again = await restore(backup, true);
    expect(again.keptAside).toBe(`${keptAside}-2`);
    expect(slugsIn(again.keptAside ?? "")).toEqual(["acme", "other"]);
  }));

test("a directory that a process serves from is not touched, and not one byte is read", () =>
  withPlace(async ({ dataDir, path }) => {
    const held = openDataDir(dataDir);
    const unread = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(new Error("read")),
      }),
    };
    const options = { dataDir, databasePath: path, force: true, nowMs: NOW_MS };
    await expect(restoreBackup(unread, options)).rejects.toBeInstanceOf(DataDirLockedError);
    expect(contents(dataDir)).toEqual({});
    held.close();
  }));

const REFUSED: { name: string; make: () => Promise<Uint8Array>; says: string }[] = [
  { name: "cut short", make: async () => backup.subarray(0, 90_000), says: "ends too early" },
  { name: "empty", make: async () => new Uint8Array(0), says: "ends too early" },
  {
    name: "with a byte changed",
    make: async () => backup.map((byte, at) => (at === 90_000 ? byte ^ 1 : byte)),
    says: "not the one that its manifest was written for",
  },
  {
    name: "of a damaged database",
    make: () =>
      backupWith((path) => {
        const bytes = readFileSync(path);
        bytes.fill(0, 5 * 4096, 6 * 4096);
        writeFileSync(path, bytes);
      }),
    says: "its database is damaged",
  },
  {
    name: "whose rows contradict each other",
    make: () =>
      backupWith((path) =>
        run(
          path,
          "insert into memberships (organization_id, user_id, role, created_at_ms) values ('a', 'b', 'owner', 1)",
        ),
      ),
    says: "its database is damaged: a row of memberships",
  },
  {
    name: "of another program's database",
    make: () => backupWith((path) => run(path, "drop table kysely_migration")),
    says: "another program",
  },
  {
    name: "of no database at all",
    make: () => backupWith((path) => writeFileSync(path, "no database ".repeat(500))),
    says: "its database is damaged",
  },
  {
    name: "of a newer version",
    make: () =>
      backupWith((path) =>
        run(path, "insert into kysely_migration (name, timestamp) values ('9999_later', '')"),
      ),
    says: "9999_later",
  },
];

for (const { name, make, says } of REFUSED) {
  test(`a backup ${name} is refused, and nothing changes`, () =>
    withPlace(async ({ dataDir, path, restore }) => {
      const archive = await make();
      await expect(restore(archive)).rejects.toThrow(says);
      expect(existsSync(dataDir)).toBe(false);

      mkdirSync(dataDir);
      writeFileSync(path, "a database");
      writeFileSync(`${path}-wal`, "its log");
      const before = contents(dataDir);
      await expect(restore(archive, true)).rejects.toThrow(says);
      expect(contents(dataDir)).toEqual(before);
    }));
}

test("a newer version's backup is told apart from a damaged one", () =>
  withPlace(async ({ restore }) => {
    const archive = await backupWith((path) =>
      run(path, "insert into kysely_migration (name, timestamp) values ('9999_later', '')"),
    );
    await expect(restore(archive)).rejects.toBeInstanceOf(NewerSchemaError);
  }));

test("what is restored belongs to whoever owns the directory", () =>
  withPlace(async ({ dataDir, path, restore }) => {
    const { uid, gid } = statSync(altered.path);
    const owner = isRoot ? { uid: 65_534, gid: 65_533 } : { uid, gid };
    mkdirSync(dataDir, { mode: 0o700 });
    // The folder above must let the owner through.
    chownSync(join(dataDir, ".."), owner.uid, owner.gid);
    chownSync(dataDir, owner.uid, owner.gid);
    await restore(backup);
    await restore(backup, true);
    expect(readdirSync(dataDir)).toHaveLength(3);
    for (const name of readdirSync(dataDir))
      expect(statSync(join(dataDir, name))).toMatchObject(owner);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  }));
