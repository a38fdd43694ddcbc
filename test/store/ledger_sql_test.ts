import { expect, test } from "bun:test";
import { ledgerSql } from "../../src/store/ledger_sql.ts";
import { openTestDatabase } from "../support/database.ts";

test("the newest schema takes every statement, and each binds what it leaves open", async () => {
  const database = await openTestDatabase();
  for (const text of Object.values(ledgerSql())) {
    const statement = database.connection.prepare(text);
    expect(statement.paramsCount).toBe(text.split("?").length - 1);
    statement.finalize();
  }
  await database.close();
});
