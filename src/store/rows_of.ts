import { CompiledQuery } from "kysely";
import type { Db } from "./tables.ts";

/** Runs a statement whose SQL was written when the program was built, and returns its rows. */
export async function rowsOf<Row>(
  db: Db,
  text: string,
  bound: readonly string[] = [],
): Promise<Row[]> {
  const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(text, [...bound]));
  return rows;
}
