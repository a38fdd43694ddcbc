import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import OpenAI from "openai";
import { eventually } from "../support/eventually.ts";
import { openAiClient, openProxy } from "../support/proxy.ts";

setDefaultTimeout(30_000);

const proxy = await openProxy();
afterAll(() => proxy.close());
await proxy.configure();

/** Within this time a client's hang-up must have reached the provider. */
const HANG_UP_MS_MAX = 1000;

const body = {
  model: "openai/gpt-4o-mini",
  messages: [{ role: "user", content: "hi" }] as OpenAI.ChatCompletionMessageParam[],
};

/** A stream that says three words and then holds its peace. */
async function* words() {
  for (const content of ["One", " two", " three"]) {
    yield `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;
  }
  await new Promise(() => {});
}

/** What a client may do in the middle of a stream to be rid of it. */
const WAYS: Record<string, (stream: AsyncIterable<unknown>, abort: () => void) => Promise<void>> = {
  "aborts the stream": async (stream, abort) => {
    let count = 0;
    for await (const _ of stream) {
      count += 1;
      if (count === 3) abort();
    }
  },
  "leaves the loop": async (stream) => {
    let count = 0;
    for await (const _ of stream) {
      count += 1;
      if (count === 3) break;
    }
  },
};

for (const [what, leave] of Object.entries(WAYS)) {
  test(`a client that ${what} ends the provider's work within a second, and pays for the words it got`, async () => {
    const { id, secret } = await proxy.createKey();
    const { client } = openAiClient(proxy, secret);
    proxy.standIn.next({ pieces: words() });
    const stream = await client.chat.completions.create({ ...body, stream: true });
    await leave(stream, () => stream.controller.abort());
    await hungUp();
    const row = await settled(id);
    expect(row.calls).toBe(1);
    expect(row.input_tokens).toBeGreaterThan(0);
    // "One two three" is 13 characters, three and a half of which are taken for a token.
    expect(row.output_tokens).toBe(4);
    expect(row.cost_microcents).toBeGreaterThan(0);
  });
}

test("a client that gives a whole answer up before it comes pays for what was asked, and nobody works on", async () => {
  const { id, secret } = await proxy.createKey();
  const { client } = openAiClient(proxy, secret, { maxRetries: 0 });
  const controller = new AbortController();
  proxy.standIn.next({ until: new Promise(() => {}) });
  const { count } = proxy.standIn;
  const call = client.chat.completions.create(
    { ...body, max_completion_tokens: 55 },
    { signal: controller.signal },
  );
  const failed = Promise.resolve(call).catch((error: unknown) => error);
  await eventually(() => proxy.standIn.count > count);
  controller.abort();
  expect(await failed).toBeInstanceOf(OpenAI.APIUserAbortError);
  await hungUp();
  // Nobody can know how far the provider had come, so the whole hold is charged.
  expect(await settled(id)).toMatchObject({ calls: 1, output_tokens: 55 });
});

test("calls that were given up hold nothing back", async () => {
  const { secret } = await proxy.createKey({ monthly_token_limit: 5000 });
  const { client } = openAiClient(proxy, secret);
  for (let round = 0; round < 3; round += 1) {
    proxy.standIn.next({ pieces: words() });
    const stream = await client.chat.completions.create({ ...body, stream: true });
    for await (const _ of stream) break;
    await hungUp();
  }
  const { choices } = await client.chat.completions.create(body);
  expect(choices[0]?.finish_reason).toBe("stop");
});

async function hungUp(): Promise<void> {
  const late = Bun.sleep(HANG_UP_MS_MAX).then(() => "too late");
  const inTime = proxy.standIn.requests.at(-1)?.hungUp.then(() => "in time");
  expect(await Promise.race([inTime, late])).toBe("in time");
}

/** Waits until the key has a call that is settled, and returns its usage. */
async function settled(keyId: string) {
  for (;;) {
    const row = (await proxy.usage("key")).find(({ group_key }) => group_key === keyId);
    if (row !== undefined) return row;
  }
}
