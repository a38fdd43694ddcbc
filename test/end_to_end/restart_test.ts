import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type OpenAI from "openai";
import { eventually } from "../support/eventually.ts";
import { apiError, openAiClient, openProxy, type TestProxy } from "../support/proxy.ts";

setDefaultTimeout(30_000);

const model = "openai/gpt-4o-mini";
const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "hi" }];
const chat = (client: OpenAI, body: object = {}) =>
  client.chat.completions.create({ model, messages, ...body });
const clientOf = (proxy: TestProxy, secret: string) =>
  openAiClient(proxy, secret, { maxRetries: 0 }).client;

/** Everything that an owner can see. */
async function everything(proxy: TestProxy) {
  const paths = ["/providers", "/keys", "/settings"];
  const views = await Promise.all(paths.map((path) => proxy.manage("GET", path)));
  return [await proxy.usage("model"), await proxy.usage("key"), ...views];
}

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  test(`after ${signal} everything is as it was: keys, provider keys, usage and the rate window`, async () => {
    await using proxy = await openProxy();
    await proxy.configure();
    const slow = await proxy.createKey({ rate_limit_rpm: 2 });
    const quick = await proxy.createKey();
    for (const { secret } of [slow, slow, quick]) await chat(clientOf(proxy, secret));
    const before = await everything(proxy);
    await proxy.restart(signal);
    expect(await everything(proxy)).toEqual(before);
    const limited = await apiError(chat(clientOf(proxy, slow.secret)));
    expect(limited).toMatchObject({ status: 429, code: "rate_limited" });
    await chat(clientOf(proxy, quick.secret));
    expect(proxy.standIn.requests.at(-1)?.headers["authorization"]).toContain("sk-canary");
    const usage = await proxy.usage("key");
    expect(usage.find(({ group_key }) => group_key === quick.id)?.calls).toBe(2);
  });

  test(`after ${signal} an open cost circuit is still open, since the same moment`, async () => {
    await using proxy = await openProxy();
    await proxy.configure();
    const { secret } = await proxy.createKey();
    await proxy.manage("PUT", "/settings", { monthly_cost_limit_cents: 1 });
    const content = "words ".repeat(1500);
    await chat(clientOf(proxy, secret), {
      model: "openai/unpriced",
      messages: [{ role: "user", content }],
    });
    await proxy.usage();
    const { body: settings } = await proxy.manage("GET", "/settings");
    expect(settings).toMatchObject({ circuit_open: true });
    await proxy.restart(signal);
    expect((await proxy.manage("GET", "/settings")).body).toEqual(settings);
    const refused = await apiError(chat(clientOf(proxy, secret)));
    expect(refused).toMatchObject({ status: 402, code: "cost_circuit_open" });
    // The circuit stays open for a higher limit alone.
    await proxy.manage("PUT", "/settings", { monthly_cost_limit_cents: 1000 });
    expect((await apiError(chat(clientOf(proxy, secret)))).status).toBe(402);
    await proxy.manage("PUT", "/settings", { reset_circuit: true });
    expect((await chat(clientOf(proxy, secret))).object).toBe("chat.completion");
  });
}

test("calls in flight at a kill are posted once, as estimates of their whole hold", async () => {
  await using proxy = await openProxy();
  await proxy.configure();
  const { id, secret } = await proxy.createKey();
  const client = clientOf(proxy, secret);
  const lost = [false, true].map((stream) => {
    proxy.standIn.next({ until: new Promise(() => {}) });
    return Promise.resolve(chat(client, { stream, max_tokens: 77 })).catch(
      (error: unknown) => error,
    );
  });
  await eventually(() => proxy.standIn.count === lost.length);
  await proxy.restart("SIGKILL");
  for (const error of await Promise.all(lost)) expect(error).toBeInstanceOf(Error);
  expect(proxy.binary.output()).toContain('"calls":2');
  const [row] = await proxy.usage("key");
  expect(row).toMatchObject({ group_key: id, calls: 2, output_tokens: 2 * 77 });
  expect(row?.cost_microcents).toBeGreaterThan(0);
  await proxy.restart("SIGKILL");
  expect(await proxy.usage("key")).toEqual(row === undefined ? [] : [row]);
  await proxy.binary.stop();
  expect(callsOf(proxy)).toEqual([
    { state: "expired", ending: null, estimated: 1, output_tokens: 77 },
    { state: "expired", ending: null, estimated: 1, output_tokens: 77 },
  ]);
});

test("a stream that outlasts the drain is ended with an error, charged for its words, and the exit is clean", async () => {
  await using proxy = await openProxy(["--drain-timeout-s", "1"]);
  expect(await endedStream(proxy, 1)).toBe("shutting_down");
});

test("told twice to stop, it ends streams at once, charged for their words", async () => {
  await using proxy = await openProxy();
  expect(await endedStream(proxy, 2)).toBe("shutting_down");
});

/** Opens a stream that never ends, stops the binary, and returns the code that the client saw. */
async function endedStream(proxy: TestProxy, signals: number) {
  await proxy.configure();
  const { secret } = await proxy.createKey();
  proxy.standIn.next({
    pieces: (async function* () {
      yield `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: "Hello" } }] })}\n\n`;
      await new Promise(() => {});
    })(),
  });
  const stream = await clientOf(proxy, secret).chat.completions.create({
    model,
    messages,
    stream: true,
  });
  const read = async () => {
    for await (const { choices } of stream) {
      expect(choices[0]?.delta.content).toBe("Hello");
      for (let sent = 0; sent < signals; sent += 1) {
        proxy.binary.terminate();
        await eventually(() => proxy.binary.output().includes('"msg":"stopping"'));
      }
    }
  };
  const error = await apiError(read());
  expect((await proxy.binary.ended).exitCode).toBe(0);
  expect(callsOf(proxy)).toEqual([
    { state: "posted", ending: "shutdown", estimated: 1, output_tokens: 2 },
  ]);
  return error.code;
}

/** Reads the ledger of a proxy that does not run. */
function callsOf({ dataDir }: TestProxy): unknown[] {
  const database = new Database(join(dataDir, "inference-proxy.db"));
  const rows = database.query("select state, ending, estimated, output_tokens from calls").all();
  database.close();
  return rows;
}
