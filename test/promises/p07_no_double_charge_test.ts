import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  CHAT,
  chunk,
  completion,
  type DataPlane,
  EventReader,
  lastChunks,
  withProxy,
} from "../support/data_plane.ts";
import { callOf, callRows, openTestLedger, settlementOf } from "../support/ledger.ts";

// P7: no call is charged twice, whatever is said of its end, and however often.

interface Sums {
  readonly calls: number;
  readonly tokens: number;
  readonly cost: number;
}

/** What everything that adds calls up says: the rows, the months and both reports. */
async function sumsOf(proxy: DataPlane): Promise<Sums[]> {
  const charged = (await proxy.calls()).filter(({ state }) => state !== "voided");
  const report = await proxy.usage();
  const [key, organization] = [
    proxy.rows<{ tokens: number }>("select sum(used_tokens) as tokens from key_months"),
    proxy.rows<{ cost: number }>("select sum(cost_microcents) as cost from org_months"),
  ];
  const total = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0);
  return [
    {
      calls: charged.length,
      tokens: total(charged.map((row) => row.input_tokens + row.output_tokens)),
      cost: total(charged.map((row) => row.cost_microcents)),
    },
    {
      calls: charged.length,
      tokens: key[0]?.tokens ?? 0,
      cost: organization[0]?.cost ?? 0,
    },
    {
      calls: total(report.map((row) => row.calls)),
      tokens: total(report.map((row) => row.total_tokens)),
      cost: total(report.map((row) => row.cost_microcents)),
    },
  ];
}

test("P7: of all that is said about the end of one hold, the first counts, also across a restart", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.record({ tokens: fc.nat({ max: 500 }) }),
          fc.constantFrom("void", "flush", "restart"),
        ),
        { minLength: 1, maxLength: 8 },
      ),
      async (said) => {
        const opened = await openTestLedger();
        const hold = await opened.ledger.admit(callOf(opened.clock));
        let charged: number | null = null;
        for (const one of said) {
          if (one === "flush") await opened.ledger.flush();
          else if (one === "restart") {
            await opened.reopen();
            // What a stop leaves open is posted as the whole hold.
            charged ??= hold.heldTokens;
          } else {
            const tokens = one === "void" ? 0 : one.tokens;
            const used = one === "void" ? null : { input: tokens, output: 0 };
            opened.ledger.settle(hold, settlementOf(used));
            charged ??= tokens;
          }
        }
        await opened.ledger.flush();
        const { connection } = opened.database;
        const sum = (query: string) => connection.query(query).values()[0]?.[0] ?? 0;
        expect(callRows(opened.database)).toHaveLength(1);
        expect(sum("select sum(used_tokens) from key_months")).toBe(charged ?? 0);
        expect(sum("select sum(cost_microcents) from org_months")).toBe(charged ?? 0);
        expect(sum("select sum(input_tokens + output_tokens) from usage_hours")).toBe(charged ?? 0);
        await opened.close();
      },
    ),
    { numRuns: 60 },
  ));

test("P7: calls that end in every way are each charged once, and no start charges them again", () =>
  withProxy({}, async (proxy) => {
    const stream = { ...CHAT, stream: true };
    // Well, as a whole and as a stream.
    await proxy.call();
    await proxy.call(stream);
    // Refused by the provider: nothing was generated.
    proxy.standIn.next({ status: 400 });
    await proxy.call();
    // The client goes in the middle, just as the provider comes to its end.
    const { promise, resolve: release } = Promise.withResolvers<void>();
    proxy.standIn.next({
      pieces: (async function* () {
        yield chunk({ content: "one" });
        await promise;
        yield lastChunks(7, 3);
      })(),
    });
    const client = new AbortController();
    const reader = new EventReader(await proxy.send(stream, { signal: client.signal }));
    await reader.next();
    client.abort();
    release();
    await proxy.idle();
    // The stream breaks off; and usage is reported twice, the second time in full.
    proxy.standIn.next({
      pieces: (async function* () {
        yield chunk({ content: "broken" });
      })(),
    });
    await proxy.call(stream);
    const usage = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 };
    proxy.standIn.next({
      pieces: (async function* () {
        yield chunk({ content: "one" }, { usage });
        yield lastChunks(5, 2);
      })(),
    });
    await proxy.call(stream);
    const rows = await proxy.calls();
    expect(rows.map(({ state }) => state)).toEqual([
      "posted",
      "posted",
      "voided",
      "posted",
      "posted",
      "posted",
    ]);
    expect(rows.at(-1)).toMatchObject({ input_tokens: 5, output_tokens: 2 });
    const [first, ...others] = await sumsOf(proxy);
    for (const other of others) expect(other).toEqual(first as Sums);
    for (let start = 0; start < 2; start += 1) {
      await proxy.restart();
      for (const sums of await sumsOf(proxy)) expect(sums).toEqual(first as Sums);
    }
  }));

test("P7: a client's retry is a call of its own, with its own hold and charge", () =>
  withProxy({}, async (proxy) => {
    proxy.standIn.next({ status: 503 });
    proxy.standIn.next({ body: completion(10, 5) });
    const answers = [await proxy.call(), await proxy.call()];
    expect(answers.map(({ status }) => status)).toEqual([502, 200]);
    const ids = answers.map(({ headers }) => headers.get("x-request-id"));
    const rows = await proxy.calls();
    expect(rows.map(({ id }) => id)).toEqual(ids.map(String));
    expect(rows.map(({ state }) => state)).toEqual(["voided", "posted"]);
    expect((await sumsOf(proxy))[1]).toMatchObject({ tokens: 15 });
  }));
