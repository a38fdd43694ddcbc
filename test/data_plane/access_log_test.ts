import { describe, expect, test } from "bun:test";
import {
  type AnyJson,
  CHAT,
  chunk,
  completion,
  type DataPlane,
  proxyForTests,
  withProxy,
} from "../support/data_plane.ts";
import { callsOfEveryKind } from "../support/scrape.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

/** Returns the lines about calls, parsed, once nothing is in flight. */
async function callLines(proxy: DataPlane): Promise<AnyJson[]> {
  await proxy.idle();
  const lines = proxy.logged.split("\n").filter((line) => line.includes('"msg":"call"'));
  return lines.map((line) => JSON.parse(line));
}

async function lastLine(proxy: DataPlane): Promise<AnyJson> {
  return (await callLines(proxy)).at(-1);
}

const proxy = await proxyForTests({ providers: ["openai", "anthropic", "mistral"] });

describe("the line of a call", () => {
  test("says who called what, how it ended, how long it took and what it came to", async () => {
    const usage = { prompt_tokens: 1000, completion_tokens: 40, total_tokens: 1040 };
    const details = { prompt_tokens_details: { cached_tokens: 600 } };
    const body = { ...completion(0, 0), usage: { ...usage, ...details } };
    const { promise, resolve } = Promise.withResolvers<void>();
    proxy.standIn.next({ body, until: promise });
    const answer = proxy.call(CHAT);
    while (proxy.standIn.count === 0) await new Promise((wait) => setImmediate(wait));
    proxy.clock.advance(1_250);
    resolve();
    const { headers } = await answer;
    const [row] = await proxy.calls();
    expect(await lastLine(proxy)).toEqual({
      ts: "2026-06-15T12:30:01.250Z",
      level: "info",
      msg: "call",
      request_id: headers.get("x-request-id"),
      key_prefix: proxy.key.secret.slice(0, 12),
      organization: proxy.organizationId,
      operation: "chat",
      model: "openai/gpt-4o-mini",
      provider: "openai",
      residency: "none",
      status: 200,
      code: "200",
      upstream_status: 200,
      dur_ms: 1250,
      input_tokens: 1000,
      output_tokens: 40,
      cached_tokens: 600,
      cost_microcents: row?.cost_microcents,
      stream: false,
      estimated: false,
    });
    expect(row?.id).toBe(headers.get("x-request-id") ?? "");
  });

  test("of a stream says when its first event came", async () => {
    await proxy.call({ ...CHAT, stream: true });
    expect(await lastLine(proxy)).toMatchObject({
      stream: true,
      ttft_ms: 0,
      dur_ms: 0,
      code: "200",
    });
  });

  test("says that a route is resident in the EU", async () => {
    await proxy.configure("mistral", { eu_endpoint: true });
    await proxy.call({ ...CHAT, model: "mistral/mistral-small-latest" });
    expect(await lastLine(proxy)).toMatchObject({ provider: "mistral", residency: "eu" });
  });

  test("of a request without a valid key says no more than that", async () => {
    const { headers } = await proxy.call(CHAT, { key: { id: "", secret: "fdb-inf-wrong" } });
    expect(await lastLine(proxy)).toEqual({
      ts: expect.any(String),
      level: "info",
      msg: "call",
      request_id: headers.get("x-request-id"),
      operation: "chat",
      status: 401,
      code: "invalid_key",
      dur_ms: 0,
    });
  });

  test("of a refused call has no tokens and no cost", async () => {
    await proxy.call({ ...CHAT, model: "groq/llama", stream: true });
    const line = await lastLine(proxy);
    expect(line).toMatchObject({
      key_prefix: proxy.key.secret.slice(0, 12),
      model: "groq/llama",
      stream: true,
      status: 412,
      code: "provider_not_configured",
    });
    for (const name of ["provider", "residency", "input_tokens", "cost_microcents", "estimated"])
      expect(line).not.toHaveProperty(name);
  });

  test("of a call that failed at its provider has that status, and ours", async () => {
    await proxy.call({ ...CHAT, model: "openai/error-429" });
    const line = await lastLine(proxy);
    expect(line).toMatchObject({ status: 502, code: "upstream_error", upstream_status: 429 });
    expect(line).not.toHaveProperty("cost_microcents");
  });

  test("of a stream that was cut says so, and that its usage is an estimate", async () => {
    proxy.standIn.next({ pieces: [chunk({ content: "Hello" })] });
    await proxy.call({ ...CHAT, stream: true });
    expect(await lastLine(proxy)).toMatchObject({
      status: 200,
      code: "upstream_stream_interrupted",
      estimated: true,
      cost_microcents: expect.any(Number),
    });
  });

  test("carries the client's own request id and trace, as far as they are readable", async () => {
    const ids = async (headers: Record<string, string>) => {
      await proxy.call(CHAT, { headers });
      const { client_request_id, trace_id } = await lastLine(proxy);
      return { client_request_id, trace_id };
    };
    expect(
      await ids({
        "x-client-request-id": "mine/1",
        traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
      }),
    ).toEqual({ client_request_id: "mine/1", trace_id: TRACE });
    expect(await ids({ "x-client-request-id": "x".repeat(500) })).toEqual({
      client_request_id: "x".repeat(128),
      trace_id: undefined,
    });
    for (const bad of ["two words", "tab\tbed", "caf\u00e9"])
      expect(await ids({ "x-client-request-id": bad, traceparent: "00-0-0-01" })).toEqual({
        client_request_id: undefined,
        trace_id: undefined,
      });
  });

  test("and what it carries does not go to the provider", () => {
    const { headers } = proxy.standIn.requests.at(-1) ?? { headers: {} };
    expect(Object.keys(headers)).not.toContain("traceparent");
    expect(Object.keys(headers)).not.toContain("x-client-request-id");
  });
});

test("every call has one line, whatever becomes of it, and no line says what was said", () =>
  withProxy({ providers: ["openai", "anthropic"] }, async (busy) => {
    await callsOfEveryKind(busy);
    const lines = await callLines(busy);
    expect(lines.map(({ code }) => code)).toEqual([
      "200",
      "200",
      "200",
      "200",
      "200",
      "invalid_key",
      "invalid_model",
      "provider_not_configured",
      "200",
      "token_ceiling_exceeded",
      "upstream_error",
      "upstream_error",
      "upstream_stream_interrupted",
      "client_closed",
    ]);
    expect(new Set(lines.map(({ request_id }) => request_id)).size).toBe(lines.length);
    const text = JSON.stringify(lines);
    for (const said of ["hello", "Hello", busy.key.secret, "sk-canary"])
      expect(text).not.toContain(said);
  }));

test("a client that leaves before its answer begins has status 499", () =>
  withProxy({}, async (proxy) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    proxy.standIn.next({ until: promise });
    const client = new AbortController();
    const answer = proxy.send(CHAT, { signal: client.signal }).catch(() => null);
    while (proxy.standIn.count === 0) await new Promise((wait) => setImmediate(wait));
    client.abort();
    await answer;
    expect(await lastLine(proxy)).toMatchObject({ status: 499, code: "client_closed" });
    resolve();
  }));

test.each([["--access-log=off"], ["--log-level=warn"]])("with %s calls have no line", (flag) =>
  withProxy({ flags: [flag] }, async (quiet) => {
    await quiet.call();
    await quiet.call(CHAT, { key: { id: "", secret: "no" } });
    expect(await callLines(quiet)).toEqual([]);
  }),
);
