import { expect, test } from "bun:test";
import { startSql } from "../../src/store/start_sql.ts";
import { openTestDatabase } from "../support/database.ts";

test("the newest schema takes every statement, and each binds what it leaves open", async () => {
  const database = await openTestDatabase();
  for (const text of Object.values(startSql())) {
    const statement = database.connection.prepare(text);
    expect(statement.paramsCount).toBe(text.split("?").length - 1);
    statement.finalize();
  }
  await database.close();
});

test("calls left open are found by their index, however many have ended", async () => {
  const database = await openTestDatabase();
  const plan = database.connection.query<{ detail: string }, []>(
    `explain query plan ${startSql().openCalls}`,
  );
  expect(plan.all().map(({ detail }) => detail)).toEqual([
    "SEARCH calls USING INDEX calls_pending (state=?)",
  ]);
  await database.close();
});
