import { afterEach, beforeEach, expect, test } from "bun:test";
import { findCall } from "../../src/store/calls.ts";
import { callOf, openTestLedger, settlementOf, type TestLedger } from "../support/ledger.ts";

let opened: TestLedger;
beforeEach(async () => {
  opened = await openTestLedger();
});
afterEach(() => opened.close());

test("a call is found by its organization only", async () => {
  const { ledger, clock, database } = opened;
  const hold = await ledger.admit(callOf(clock));
  ledger.settle(hold, settlementOf({ input: 10, output: 5 }));
  await ledger.flush();
  const found = await findCall(database.db, "acme", hold.callId);
  expect(found).toMatchObject({ id: hold.callId, state: "posted", cost_microcents: 15 });
  expect(await findCall(database.db, "other", hold.callId)).toBeUndefined();
  expect(await findCall(database.db, "acme", "none")).toBeUndefined();
});

test("what a call was charged at is in its row, for good", async () => {
  const { ledger, clock, database } = opened;
  const price = { id: "p", percent: 110, tierAbove: 200_000, rates: { input: 4, output: 0 } };
  const usage = {
    inputTokens: 1,
    cacheReadTokens: 2,
    cacheWriteTokens: 3,
    cacheWrite1hTokens: 4,
    inputAudioTokens: 5,
    outputTokens: 6,
    reasoningTokens: 7,
    outputAudioTokens: 8,
  };
  const hold = await ledger.admit(callOf(clock));
  const used = { usage, costMicrocents: 9, price, estimated: true };
  ledger.settle(hold, { ...settlementOf(null), used });
  await ledger.flush();
  expect(await findCall(database.db, "acme", hold.callId)).toMatchObject({
    input_tokens: 1,
    cache_read_tokens: 2,
    cache_write_tokens: 3,
    cache_write_1h_tokens: 4,
    input_audio_tokens: 5,
    output_tokens: 6,
    reasoning_tokens: 7,
    output_audio_tokens: 8,
    cost_microcents: 9,
    estimated: 1,
    price_id: "p",
    price_percent: 110,
    price_tier_above: 200_000,
    price_rates: '{"input":4,"output":0}',
  });
});
