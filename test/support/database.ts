import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrate } from "../../src/store/migrate.ts";
import { closeSqlite, openSqlite, type Sqlite } from "../../src/store/sqlite.ts";

/** A database of its own for one test: a real file, because the log and the locks are part of the truth. */
export interface TestDatabase extends Sqlite {
  /** The database file. Its log is `<path>-wal`. */
  readonly path: string;
  /** The folder of the file, deleted on close. */
  readonly folder: string;
  close(): Promise<void>;
}

/** An empty database with the newest schema: migrating takes most of the time of a small test. */
let template: Promise<Uint8Array> | null = null;

/** Opens an empty database with the newest schema in a fresh folder. */
export async function openTestDatabase(): Promise<TestDatabase> {
  template ??= migratedFile();
  const folder = mkdtempSync(join(tmpdir(), "inference-proxy-test-"));
  const path = join(folder, "inference-proxy.db");
  writeFileSync(path, await template);
  const sqlite = openSqlite(path, "normal");
  return {
    ...sqlite,
    path,
    folder,
    close: async () => {
      await closeSqlite(sqlite);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function migratedFile(): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "inference-proxy-test-"));
  const path = join(folder, "template.db");
  const sqlite = openSqlite(path, "normal");
  await migrate(sqlite.db);
  await closeSqlite(sqlite);
  const bytes = readFileSync(path);
  rmSync(folder, { recursive: true });
  return bytes;
}
