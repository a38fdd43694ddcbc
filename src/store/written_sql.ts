import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";

/** Stands for a value that is bound when the statement runs. */
export const BOUND = "" as never;

/**
 * Returns a query builder without a database. It writes SQL when the program is built: in a process that has just
 * begun, the query builder takes longer to write a statement than the database to run it.
 */
export function writer<Tables>(): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
}

/** Returns the SQL of a query. */
export function sqlOf(query: { compile(): CompiledQuery }): string {
  return query.compile().sql;
}
