import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openFolder } from "../support/binary.ts";
import { type AnyJson, CHAT, completion, proxyForTests } from "../support/data_plane.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";

const bodies: AnyJson[] = [];
const authorizations: (string | null)[] = [];
const collector = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: async (request) => {
    bodies.push(await request.json());
    authorizations.push(request.headers.get("authorization"));
    return new Response("{}");
  },
});
afterAll(() => collector.stop(true));

const folder = openFolder();
afterAll(() => folder[Symbol.dispose]());
const headersFile = join(folder.path, "headers");
writeFileSync(headersFile, "Authorization: Basic Y29sbGVjdG9y\n");

const proxy = await proxyForTests({
  flags: [
    "--otlp-endpoint",
    `http://127.0.0.1:${collector.port}`,
    "--otlp-headers-file",
    headersFile,
  ],
});

/** Returns the spans so far and forgets them: what is left is sent when the app closes. */
async function spans(): Promise<AnyJson[]> {
  await proxy.idle();
  await proxy.restart();
  return bodies
    .splice(0)
    .flatMap((body) => body.resourceSpans)
    .flatMap((one) => one.scopeSpans)
    .flatMap((one) => one.spans);
}

function attributesOf(span: AnyJson): Record<string, unknown> {
  const attributes: AnyJson[] = span.attributes;
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

test("a call is two spans: the request as it was served, and below it the call to the provider", async () => {
  const usage = { prompt_tokens: 1000, completion_tokens: 40, total_tokens: 1040 };
  const details = {
    prompt_tokens_details: { cached_tokens: 600 },
    completion_tokens_details: { reasoning_tokens: 30 },
  };
  proxy.standIn.next({ body: { ...completion(0, 0), usage: { ...usage, ...details } } });
  const { headers } = await proxy.call({ ...CHAT, max_tokens: 77 });
  const [server, client, ...others] = await spans();
  expect(others).toEqual([]);
  expect(server).toMatchObject({
    name: "POST /inference/v1/chat/completions",
    kind: 2,
    status: {},
    startTimeUnixNano: "1781526600000000000",
  });
  expect(server).not.toHaveProperty("parentSpanId");
  // Without a trace of the client's, the id of the request leads to it.
  expect(server.traceId).toBe(headers.get("x-request-id")?.replaceAll("-", ""));
  expect(client).toMatchObject({
    name: "chat gpt-4o-mini",
    kind: 3,
    traceId: server.traceId,
    parentSpanId: server.spanId,
    status: {},
  });
  expect(attributesOf(client)).toEqual({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.request.stream": false,
    "gen_ai.request.max_tokens": "77",
    "gen_ai.response.model": "gpt-4o-mini",
    "gen_ai.usage.input_tokens": "1000",
    "gen_ai.usage.output_tokens": "40",
    "gen_ai.usage.cache_read.input_tokens": "600",
    "gen_ai.usage.cache_creation.input_tokens": "0",
    "gen_ai.usage.reasoning.output_tokens": "30",
    "http.response.status_code": "200",
    "server.address": "127.0.0.1",
    "server.port": String(new URL(proxy.standIn.url).port),
  });
  expect(authorizations.splice(0)).toEqual(["Basic Y29sbGVjdG9y"]);
});

test("a stream says when its first event came", async () => {
  await proxy.call({ ...CHAT, stream: true });
  const [, client] = await spans();
  expect(attributesOf(client)).toMatchObject({
    "gen_ai.request.stream": true,
    "gen_ai.response.time_to_first_chunk": "0",
  });
});

test("a call is part of the client's trace if there is one", async () => {
  await proxy.call(CHAT, { headers: { traceparent: `00-${TRACE}-${PARENT}-01` } });
  const [server, client] = await spans();
  expect(server).toMatchObject({ traceId: TRACE, parentSpanId: PARENT });
  expect(client).toMatchObject({ traceId: TRACE, parentSpanId: server.spanId });
  expect(proxy.standIn.requests.at(-1)?.headers).not.toHaveProperty("traceparent");
});

test("a trace that the client does not record is not recorded here", async () => {
  await proxy.call(CHAT, { headers: { traceparent: `00-${TRACE}-${PARENT}-00` } });
  expect(await spans()).toEqual([]);
});

test("a call that failed at its provider failed in both spans", async () => {
  await proxy.call({ ...CHAT, model: "openai/error-503" });
  const [server, client] = await spans();
  expect(server.status).toEqual({ code: 2 });
  expect(attributesOf(server)).toMatchObject({
    "http.response.status_code": "502",
    "error.type": "upstream_error",
  });
  expect(client.status).toEqual({ code: 2 });
  expect(attributesOf(client)).toMatchObject({
    "http.response.status_code": "503",
    "error.type": "503",
  });
});

test("a call that was refused was never sent, and is no fault of the proxy", async () => {
  await proxy.call({ ...CHAT, model: "groq/llama" });
  const [server, ...others] = await spans();
  expect(others).toEqual([]);
  expect(server.status).toEqual({});
  expect(attributesOf(server)).toMatchObject({
    "http.response.status_code": "412",
    "error.type": "provider_not_configured",
  });
});

test("nothing that was said or presented is in a trace", async () => {
  await proxy.call({ ...CHAT, stream: true });
  const text = JSON.stringify(await spans());
  for (const said of ["hi", "Hello"]) expect(text).not.toContain(`"${said}`);
  for (const secret of [proxy.key.secret, "sk-canary"]) expect(text).not.toContain(secret);
});
