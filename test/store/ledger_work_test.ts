import { afterAll, expect, test } from "bun:test";
import { logStatements } from "../support/statement_log.ts";
import { callOf, openTestLedger, settlementOf } from "../support/ledger.ts";

// What makes the ledger quick, in numbers that do not depend on the machine.

const statements = logStatements();
const { ledger, clock, close } = await openTestLedger();
afterAll(async () => {
  await close();
  statements.stop();
});

const call = (callId: string) => callOf(clock, { callId, rateLimitRpm: 1_000 });

/** Counts equal texts. */
function counted(texts: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}

test("a hundred calls are held in one transaction, a row each, and settled in another, each sum touched once", async () => {
  // What limits are decided by is read once.
  const first = await ledger.admit(call("first"));
  ledger.settle(first, settlementOf({ input: 100, output: 50 }));
  await ledger.flush();
  statements.take();

  const holds = await Promise.all(
    Array.from({ length: 100 }, (_, index) => ledger.admit(call(`${index}`))),
  );
  expect(counted(statements.take())).toEqual({
    "begin immediate": 1,
    'insert into "calls"': 100,
    commit: 1,
  });

  for (const hold of holds) ledger.settle(hold, settlementOf({ input: 100, output: 50 }));
  await ledger.flush();
  expect(counted(statements.take())).toEqual({
    "begin immediate": 1,
    'update "calls"': 100,
    'insert into "key_months"': 1,
    'insert into "org_months"': 1,
    'insert into "usage_hours"': 1,
    'insert into "usage_days"': 1,
    commit: 1,
  });
});

test("a hold waits for no settlement", async () => {
  const hold = await ledger.admit(call("a"));
  ledger.settle(hold, settlementOf({ input: 100, output: 50 }));
  statements.take();
  await ledger.admit(call("b"));
  expect(statements.take()).toEqual(["begin immediate", 'insert into "calls"', "commit"]);
});
