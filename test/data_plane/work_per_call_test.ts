import { afterAll, expect, spyOn, test } from "bun:test";
import {
  CHAT,
  chunk,
  completion,
  eventsOf,
  lastChunks,
  proxyForTests,
} from "../support/data_plane.ts";
import { logStatements } from "../support/statement_log.ts";

// What makes a call cheap, in numbers that do not depend on the machine.

const statements = logStatements();
afterAll(() => statements.stop());
const proxy = await proxyForTests();

/** Calls once, so that whatever is read and kept is there. */
async function warm() {
  proxy.standIn.next({ body: completion(9, 4) });
  expect((await proxy.call()).status).toBe(200);
  await proxy.calls();
  await proxy.idle();
  statements.take();
}

test("a call of a known key reads no row, writes its hold, and computes no checksum", async () => {
  await warm();
  const checksum = spyOn(Bun.hash, "crc32");
  proxy.standIn.next({ body: completion(9, 4) });
  expect((await proxy.call()).status).toBe(200);
  expect(checksum).toHaveBeenCalledTimes(0);
  checksum.mockRestore();
  expect(statements.take().filter((text) => /^(select|insert)/.test(text))).toEqual([
    'insert into "calls"',
  ]);
});

test("a call's body and its answer are parsed once and not written anew", async () => {
  await warm();
  const content = "a long prompt ".repeat(2_000);
  const sent = JSON.stringify({ ...CHAT, messages: [{ role: "user", content }] });
  proxy.standIn.next({ body: JSON.stringify(completion(9, 4, content)) });
  const parse = spyOn(JSON, "parse");
  const stringify = spyOn(JSON, "stringify");
  const answer = await proxy.send(sent);
  expect(await answer.text()).toContain(content);
  await proxy.idle();
  const parsed = parse.mock.calls.filter(([text]) => String(text).includes(content));
  const written = stringify.mock.results.map(({ value }) => String(value));
  parse.mockRestore();
  stringify.mockRestore();
  // The stand-in reads the request too, and writes its messages down to count them.
  expect(parsed).toHaveLength(3);
  const anew = written.filter((text) => text.startsWith("{") && text.includes(content));
  expect(anew).toEqual([]);
});

/** Returns what sends each piece only when the client has read the one before it, so that none are joined. */
function inStep(pieces: readonly string[]) {
  let read = 0;
  let go = () => {};
  return {
    pieces: (async function* () {
      for (const [index, piece] of pieces.entries()) {
        while (read < index) await new Promise<void>((resolve) => (go = resolve));
        yield piece;
      }
    })(),
    read(text: string) {
      read += text.split("data: ").length - 1;
      go();
    },
  };
}

test("of chunks that look alike only the first few are decoded, parsed or cut as bytes, and no stream has a timer of its own", async () => {
  await warm();
  const parse = spyOn(JSON, "parse");
  const decode = spyOn(TextDecoder.prototype, "decode");
  // A view of a part makes a buffer of the whole, and nothing costs more to collect.
  const cut = spyOn(Uint8Array.prototype, "subarray");
  const timers = [spyOn(globalThis, "setTimeout"), spyOn(globalThis, "setInterval")] as const;
  const words = Array.from({ length: 500 }, (_, index) => chunk({ content: ` w\u00f6rd${index}` }));
  const { pieces, read } = inStep([...words, lastChunks(9, 500)]);
  proxy.standIn.next({ pieces });
  const answer = await proxy.send(JSON.stringify({ ...CHAT, stream: true }));
  let text = "";
  for await (const piece of answer.body ?? []) {
    const part = Buffer.from(piece).toString();
    text += part;
    read(part);
  }
  const parsed = parse.mock.calls.filter(([json]) =>
    String(json).includes("chat.completion.chunk"),
  );
  const decoded = decode.mock.calls.length;
  // The stand-in cuts too, but only from the front.
  const cuts = cut.mock.calls.filter(([from]) => from !== 0).length;
  const begun = timers.reduce((sum, timer) => sum + timer.mock.calls.length, 0);
  for (const spy of [parse, decode, cut, ...timers]) spy.mockRestore();
  expect(eventsOf(text)).toHaveLength(502);
  expect(parsed.length).toBeLessThan(10);
  // What the request was read from is one of them.
  expect(decoded).toBeLessThan(10);
  expect(cuts).toBe(0);
  // The pulse of all calls, the commits, and the telling of calls that are over.
  expect(begun).toBeLessThan(10);
});
