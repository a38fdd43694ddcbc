import { afterEach, beforeEach, expect, test } from "bun:test";
import { rowsOf } from "../../src/store/rows_of.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";

let database: TestDatabase;

beforeEach(async () => {
  database = await openTestDatabase();
});

afterEach(() => database.close());

test("the rows of a statement come as they are stored, with what is bound in order", async () => {
  const rows = await rowsOf<{ one: string; other: string }>(
    database.db,
    "select ? as one, ? as other",
    ["a", "b"],
  );
  expect(rows).toEqual([{ one: "a", other: "b" }]);
  expect(await rowsOf(database.db, "select id from users")).toEqual([]);
});

test("inside a transaction it reads what the transaction wrote", async () => {
  const master = { id: "00000000", check_value: "", is_primary: 1, wrapped_key: null } as const;
  await database.db.transaction().execute(async (tx) => {
    await tx
      .insertInto("master_keys")
      .values({ ...master, created_at_ms: 1 })
      .execute();
    const rows = await rowsOf(tx, "select id from master_keys");
    expect(rows).toEqual([{ id: "00000000" }]);
  });
});
