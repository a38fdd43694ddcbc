import type { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import { MIGRATIONS } from "../../migrations/registry.ts";
import { SQL } from "./asked_at_start.ts";
import { rowsOf } from "./rows_of.ts";
import type { Tables } from "./tables.ts";

/** The database was written by a newer version of this program. */
export class NewerSchemaError extends Error {
  readonly found: string;
  readonly known: string;

  constructor(found: string, known: string) {
    super(`Cannot open database: its schema is ${found}, this version knows ${known}`);
    this.found = found;
    this.known = known;
  }
}

/** The newest schema that this program writes, such as `0005_create_audit_events`. */
export const SCHEMA = Object.keys(MIGRATIONS).at(-1) ?? "none";

/**
 * Brings the database to the newest schema, in one transaction.
 *
 * @returns The names of the migrations that were applied, oldest first.
 * @throws {NewerSchemaError} If the database has migrations that this program does not know.
 */
export async function migrate(db: Kysely<Tables>): Promise<string[]> {
  const applied = await appliedSchema(db);
  requireKnownSchema(applied);
  // Kysely's migrator looks at every table first, which takes longer than all the rest of a start.
  if (applied === SCHEMA) return [];
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...MIGRATIONS }) },
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  return (results ?? []).map((result) => result.migrationName);
}

/** Refuses what a newer version wrote. @throws {NewerSchemaError} If this program does not know the schema. */
export function requireKnownSchema(applied: string | null): void {
  if (applied !== null && !Object.hasOwn(MIGRATIONS, applied))
    throw new NewerSchemaError(applied, SCHEMA);
}

/** Whether the database has a table of this name. */
export async function hasTable(db: Kysely<Tables>, name: string): Promise<boolean> {
  const tables = await rowsOf(db, SQL.tableNamed, [name]);
  return tables.length > 0;
}

/** Returns the newest migration that a database has, or null if it has none. */
export async function appliedSchema(db: Kysely<Tables>): Promise<string | null> {
  if (!(await hasTable(db, "kysely_migration"))) return null;
  const [newest] = await rowsOf<{ name: string | null }>(db, SQL.newestMigration);
  return newest?.name ?? null;
}
