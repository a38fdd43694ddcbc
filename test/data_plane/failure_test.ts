import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { answerOf } from "../../src/data_plane/failure.ts";
import { createLog } from "../../src/std/log.ts";
import { openTestDatabase } from "../support/database.ts";

let database: Awaited<ReturnType<typeof openTestDatabase>>;
let lines: string[];
beforeEach(async () => {
  database = await openTestDatabase();
  lines = [];
});
afterEach(() => database.close());

function answerTo(error: unknown) {
  const write = (line: string) => lines.push(line);
  return answerOf(
    error,
    "call-1",
    createLog({ level: "info", human: false, nowMs: () => 0, write }),
  );
}

function thrownBy(run: () => void): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("Expected an error");
}

test("what the database cannot do now is to be tried again, and logged", () => {
  const other = new Database(database.path);
  other.run("begin immediate");
  const error = thrownBy(() => database.connection.run("begin immediate"));
  other.close();
  const answer = answerTo(error);
  expect(answer).toMatchObject({ status: 503, error: { code: "overloaded" } });
  expect(answer.headers).toEqual({ "retry-after": "2" });
  expect(lines.join("")).toContain("call-1");
});

test("what is wrong with a statement is a fault of ours, which says nothing about itself", () => {
  const answer = answerTo(thrownBy(() => database.connection.run("select * from no_such_table")));
  expect(answer).toMatchObject({ status: 500, error: { code: "internal_error" } });
  expect(JSON.stringify(answer)).not.toContain("no_such_table");
  expect(lines.join("")).toContain("no_such_table");
});
