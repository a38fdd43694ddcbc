import { afterEach, beforeEach, expect, test } from "bun:test";
import { Directory } from "../../src/store/directory.ts";
import { Live } from "../../src/store/live.ts";
import {
  admission,
  callOf,
  callRows,
  openTestLedger,
  settlementOf,
  type TestLedger,
} from "../support/ledger.ts";

let opened: TestLedger;
let directory: Directory;
let live: Live;
beforeEach(async () => {
  opened = await openTestLedger();
  directory = new Directory(opened.database);
  live = new Live(directory, opened.ledger);
  opened.database.connection.run(
    "insert into inference_keys values ('key', 'acme', 'app', 'fdb-inf-abcd', 'hash', 1000, 60, 'active', 0, null)",
  );
});
afterEach(() => opened.close());

test("a key that was changed is read again by the next call", () => {
  expect(directory.key("hash")?.active).toBe(true);
  opened.database.connection.run("update inference_keys set status = 'revoked'");
  live.keyChanged("key");
  expect(directory.key("hash")?.active).toBe(false);
});

test("settings that were changed are read again by the next call, the cost circuit included", async () => {
  expect(directory.organization("acme").settings).toEqual({ euOnly: false });
  expect(typeof (await admission(opened.ledger, callOf(opened.clock)))).toBe("object");
  opened.database.connection.run("update org_settings set eu_only = 1, circuit_opened_at_ms = 5");
  live.organizationChanged("acme");
  expect(directory.organization("acme").settings).toEqual({ euOnly: true });
  expect(await admission(opened.ledger, callOf(opened.clock))).toBe("cost_circuit_open");
});

test("what a key's calls in flight hold is told, and what they settled is written when asked", async () => {
  const hold = await opened.ledger.admit(callOf(opened.clock));
  expect([live.heldTokens("key"), live.heldTokens("other")]).toEqual([1_000, 0]);
  opened.ledger.settle(hold, settlementOf({ input: 1, output: 1 }));
  expect(callRows(opened.database)[0]?.state).toBe("pending");
  await live.flush();
  expect(callRows(opened.database)[0]?.state).toBe("posted");
  expect(live.heldTokens("key")).toBe(0);
});

test("the month is the clock's, and does not go back with it", async () => {
  const { clock } = opened;
  expect(live.month(clock.wallMs())).toBe(202606);
  const hold = await opened.ledger.admit(callOf(clock));
  clock.advance(30 * 86_400_000);
  expect(live.month(clock.wallMs())).toBe(202607);
  expect(live.heldTokens("key")).toBe(0);
  clock.setWall(-30 * 86_400_000);
  expect(live.month(clock.wallMs())).toBe(202607);
  opened.ledger.settle(hold, settlementOf(null));
});
