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

test("of chunks that look alike only the first few are decoded and parsed, and no stream has a timer of its own", async () => {
  const parse = spyOn(JSON, "parse");
  const decode = spyOn(TextDecoder.prototype, "decode");
  const timers = [spyOn(globalThis, "setTimeout"), spyOn(globalThis, "setInterval")] as const;
  const words = Array.from({ length: 500 }, (_, index) => chunk({ content: ` word${index}` }));
  proxy.standIn.next({ pieces: [...words, lastChunks(9, 500)] });
  const answer = await proxy.call({ ...CHAT, stream: true });
  const parsed = parse.mock.calls.filter(([text]) =>
    String(text).includes("chat.completion.chunk"),
  );
  const decoded = decode.mock.calls.length;
  const begun = timers.reduce((sum, timer) => sum + timer.mock.calls.length, 0);
  for (const spy of [parse, decode, ...timers]) spy.mockRestore();
  expect(eventsOf(answer.text)).toHaveLength(502);
  expect(parsed.length).toBeLessThan(10);
  // Where the network joins two events, they are text.
  expect(decoded).toBeLessThan(50);
  // The pulse of all calls, the commits, and the telling of calls that are over.
  expect(begun).toBeLessThan(10);
});
