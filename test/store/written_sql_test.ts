import { expect, test } from "bun:test";
import { BOUND, sqlOf, writer } from "../../src/store/written_sql.ts";

test("a query without a database is written with a place for each value", () => {
  const db = writer<{ things: { id: string; size: number } }>();
  const query = db.selectFrom("things").select("id").where("size", "=", BOUND);
  expect(sqlOf(query)).toBe('select "id" from "things" where "size" = ?');
});
