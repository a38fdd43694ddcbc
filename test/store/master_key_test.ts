import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MissingMasterKeyError, openMasterKey } from "../../src/store/master_key.ts";
import { MasterKeyFileError } from "../../src/store/master_key_file.ts";
import { WrongMasterKeyError } from "../../src/store/master_key_ring.ts";
import { hasTable, migrate } from "../../src/store/migrate.ts";
import { closeSqlite, openSqlite, type Sqlite } from "../../src/store/sqlite.ts";

const NOW_MS = Date.UTC(2026, 5, 15);
const KEY = "a1b2c3d4e5f60718293a4b5c6d7e8f90".repeat(2);
const OTHER_KEY = "00112233445566778899aabbccddeeff".repeat(2);

let folder: string;
let path: string;
let sqlite: Sqlite;
let migrations: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inference-proxy-test-"));
  path = join(folder, "master.key");
  sqlite = openSqlite(":memory:");
  migrations = 0;
});
afterEach(async () => {
  await closeSqlite(sqlite);
  rmSync(folder, { recursive: true, force: true });
});

/** Opens the master key, and counts whether the database was touched. */
function open(mayCreate = true, at = path) {
  return openMasterKey(sqlite.db, { path: at, mayCreate }, NOW_MS, async () => {
    migrations += 1;
    await migrate(sqlite.db);
  });
}

function writeKey(key: string, mode = 0o600): void {
  writeFileSync(path, `${key}\n`, { mode });
}

const failureOf = (opening: Promise<unknown>): Promise<unknown> =>
  opening.then(
    () => "it opened",
    (error: unknown) => error,
  );

describe("a new database", () => {
  test("is given a new master key, for its owner alone, and needs it from then on", async () => {
    const { vault, created } = await open();
    expect([created, migrations]).toEqual([true, 1]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const before = readFileSync(path);
    const again = await open();
    expect([again.created, again.vault.keyId]).toEqual([false, vault.keyId]);
    expect(readFileSync(path)).toEqual(before);
  });

  test("takes the master key that is there", async () => {
    writeKey(KEY);
    const { created } = await open();
    expect([created, readFileSync(path, "utf8")]).toEqual([false, `${KEY}\n`]);
  });

  test("is refused a key where none may be made", async () => {
    const error = await failureOf(open(false));
    expect(error).toBeInstanceOf(MasterKeyFileError);
    expect(String(error)).toContain("there is no such file");
    expect(existsSync(path)).toBe(false);
  });

  test("takes a key that the service manager provides", async () => {
    writeKey(KEY);
    expect((await open(false)).created).toBe(false);
  });

  test("is refused a key where none can be made", async () => {
    const error = await failureOf(open(true, join(folder, "missing", "master.key")));
    expect(error).toBeInstanceOf(MasterKeyFileError);
    expect(String(error)).toContain("its folder does not exist");
  });

  test("stays untouched where the key's file is no good", async () => {
    const files: readonly (readonly [key: string, mode: number])[] = [
      ["not a key", 0o600],
      ["00".repeat(32), 0o600],
      [KEY, 0o644],
    ];
    for (const [key, mode] of files) {
      writeKey(key, mode);
      chmodSync(path, mode);
      expect(await failureOf(open())).toBeInstanceOf(MasterKeyFileError);
      rmSync(path);
    }
    expect(migrations).toBe(0);
    expect(await hasTable(sqlite.db, "master_keys")).toBe(false);
  });
});

describe("a database that has sealed something", () => {
  beforeEach(async () => {
    writeKey(KEY);
    await open();
    migrations = 0;
  });

  test("opens with its key", async () => {
    const { vault, created } = await open();
    expect([created, migrations]).toEqual([false, 1]);
    const owner = { organizationId: "org", provider: "openai", configId: "c" } as const;
    const sealed = await vault.sealProviderKey("sk-test", owner);
    expect((await vault.openProviderKey(sealed, owner)).reveal()).toBe("sk-test");
  });

  test("is refused where its key is missing: no other is made, and nothing is migrated", async () => {
    const { vault } = await open();
    migrations = 0;
    rmSync(path);
    for (const mayCreate of [true, false]) {
      const error = await failureOf(open(mayCreate));
      expect(error).toBeInstanceOf(MissingMasterKeyError);
      expect(error).toMatchObject({ path, neededIds: [vault.keyId], foundAt: null });
      expect(String(error)).toContain(`the database needs the one with id ${vault.keyId}`);
    }
    expect([existsSync(path), migrations]).toEqual([false, 0]);
  });

  test("is refused another key, and nothing is migrated", async () => {
    writeKey(OTHER_KEY);
    const rows = sqlite.connection.query("select * from master_keys").values();
    const error = await failureOf(open());
    expect(error).toBeInstanceOf(WrongMasterKeyError);
    expect(error).toMatchObject({ place: { path, foundAt: null } });
    expect(migrations).toBe(0);
    expect(sqlite.connection.query("select * from master_keys").values()).toEqual(rows);
  });
});

test("where the right key lies beside its place, the refusal says so", async () => {
  writeKey(KEY);
  const { vault } = await open();
  const kept = `${path}.${vault.keyId}`;
  renameSync(path, kept);
  expect(await failureOf(open())).toMatchObject({ path, foundAt: kept });
  writeKey(OTHER_KEY);
  expect(await failureOf(open())).toMatchObject({ place: { path, foundAt: kept } });
  renameSync(kept, `${path}.next`);
  expect(await failureOf(open())).toMatchObject({ place: { path, foundAt: `${path}.next` } });
});

test("a master key that cannot be written leaves no file behind", async () => {
  writeFileSync(join(folder, "file"), "");
  const error = await failureOf(open(true, join(folder, "file", "master.key")));
  expect(error).toBeInstanceOf(MasterKeyFileError);
  expect(existsSync(path)).toBe(false);
});
