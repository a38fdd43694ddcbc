import { expect, test } from "bun:test";
import { CHAT, chunk, eventsOf, lastChunks, proxyForTests } from "../support/data_plane.ts";

const proxy = await proxyForTests();
const STREAM = { ...CHAT, stream: true };
const USUAL = chunk({ content: "Hello" }) + lastChunks(5, 1);

/** Returns the events that a client gets when the provider sends this. */
async function relayed(sent: string): Promise<string[]> {
  proxy.standIn.next({ body: sent, headers: { "content-type": "text/event-stream" } });
  return eventsOf((await proxy.call(STREAM)).text);
}

async function lastCall() {
  await proxy.idle();
  return (await proxy.calls()).at(-1);
}

const USUAL_EVENTS = await relayed(USUAL);

const ALIKE: readonly { readonly name: string; readonly sent: string }[] = [
  { name: "lines that end in CRLF", sent: USUAL.replaceAll("\n", "\r\n") },
  { name: "lines that end in CR", sent: USUAL.replaceAll("\n", "\r") },
  { name: "no space behind the colon", sent: USUAL.replaceAll("data: ", "data:") },
  { name: "a byte order mark", sent: `\uFEFF${USUAL}` },
  { name: "comments between events", sent: USUAL.replaceAll("\n\n", "\n\n: hello\n\n") },
  {
    name: "names, ids and retries",
    sent: USUAL.replaceAll("data: ", "event: x\nid: 7\nretry: 1\ndata: "),
  },
  { name: "a space behind [DONE]", sent: USUAL.replace("[DONE]", "[DONE] ") },
  { name: "more behind [DONE]", sent: `${USUAL}${chunk({ content: "more" })}data: {` },
  { name: "nothing behind the last line", sent: USUAL.trimEnd() },
];

test.each(ALIKE)("a stream with $name reaches the client like any other", async ({ sent }) => {
  expect(await relayed(sent)).toEqual(USUAL_EVENTS);
  expect(await lastCall()).toMatchObject({ ending: "completed", input_tokens: 5, estimated: 0 });
});

test("a chunk that is written over several lines reaches the client whole", async () => {
  const events = await relayed(USUAL.replaceAll(',"', ',\ndata: "'));
  expect(events.slice(0, -1).map((data) => JSON.parse(data))).toEqual(
    USUAL_EVENTS.slice(0, -1).map((data) => JSON.parse(data)),
  );
  expect(events.at(-1)).toBe("[DONE]");
});

test("a stream that begins with something else than a chunk may have cost something", async () => {
  for (const sent of ["data: hello\n\n", "data: [1]\n\n", "data:\n\n"]) {
    await relayed(sent);
    const row = await lastCall();
    expect(row).toMatchObject({ state: "posted", ending: "upstream_failed", estimated: 1 });
    expect(row?.input_tokens).toBeGreaterThan(0);
  }
});
