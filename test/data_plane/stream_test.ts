import { expect, test } from "bun:test";
import {
  type AnyJson,
  CHAT,
  chunk,
  completion,
  EventReader,
  eventsOf,
  lastChunks,
  proxyForTests,
  until,
} from "../support/data_plane.ts";

const proxy = await proxyForTests({
  providers: ["openai", "mistral", "groq", "azure_openai", "anthropic"],
  // Time passes by leaps here, and the provider is never to blame for it.
  flags: ["--upstream-headers-timeout-s", "86400", "--upstream-idle-timeout-s", "86400"],
});

const STREAM = { ...CHAT, stream: true };
const ASKED = { ...STREAM, stream_options: { include_usage: true } };

/** A provider's stream that a test sends piece by piece; an error as the last piece cuts it. */
function scripted() {
  const pieces: string[] = [];
  let ended = false;
  let wake = Promise.withResolvers<void>();
  const arrive = () => {
    wake.resolve();
    wake = Promise.withResolvers<void>();
  };
  async function* body() {
    for (;;) {
      const piece = pieces.shift();
      if (piece !== undefined) yield piece;
      else if (ended) return;
      else await wake.promise;
    }
  }
  return {
    pieces: body(),
    send: (piece: string) => {
      pieces.push(piece);
      arrive();
    },
    end: () => {
      ended = true;
      arrive();
    },
  };
}

/** Waits until the provider has this one more request. */
async function received(before: number): Promise<void> {
  await until(() => proxy.standIn.count > before);
}

/** A model of each provider, and how many input tokens it counts for the request. */
const MODELS: readonly (readonly [string, number])[] = [
  ["openai/gpt-4o-mini", 10],
  ["mistral/mistral-small-latest", 10],
  ["groq/llama-3.1-8b-instant", 10],
  ["azure_openai/my-deployment", 10],
  ["anthropic/claude-sonnet-4-5", 17],
];

test.each(MODELS)(
  "%s: usage rides on the finish chunk if the client did not ask",
  async (model, input) => {
    const { text } = await proxy.call({ ...STREAM, model });
    const events = eventsOf(text);
    expect(events.pop()).toBe("[DONE]");
    const chunks: AnyJson[] = events.map((event) => JSON.parse(event));
    expect(chunks.every((one) => one.choices.length === 1)).toBe(true);
    expect(chunks.at(-1).choices[0].finish_reason).toBe("stop");
    expect(chunks.at(-1).usage.total_tokens).toBe(input + 22);
    expect(chunks.filter((one) => "usage" in one && one.usage !== null)).toHaveLength(1);
  },
);

test.each(MODELS)(
  "%s: usage comes in a chunk of its own if the client asked",
  async (model, input) => {
    const { text } = await proxy.call({ ...ASKED, model });
    const events = eventsOf(text);
    expect(events.pop()).toBe("[DONE]");
    const chunks: AnyJson[] = events.map((event) => JSON.parse(event));
    const last = chunks.pop();
    expect(last.choices).toEqual([]);
    const { prompt_tokens, completion_tokens, total_tokens } = last.usage;
    expect({ prompt_tokens, completion_tokens, total_tokens }).toEqual({
      prompt_tokens: input,
      completion_tokens: 22,
      total_tokens: input + 22,
    });
    expect(chunks.every((one) => one.usage === null)).toBe(true);
    expect(chunks.at(-1).choices[0].finish_reason).toBe("stop");
  },
);

test.each(MODELS)("%s: every chunk names the model as the client did", async (model) => {
  const { text } = await proxy.call({ ...ASKED, model });
  const chunks: AnyJson[] = eventsOf(text)
    .slice(0, -1)
    .map((event) => JSON.parse(event));
  expect(chunks.length).toBeGreaterThan(20);
  expect(new Set(chunks.map((one) => one.model))).toEqual(new Set([model]));
  expect(new Set(chunks.map((one) => one.id)).size).toBe(1);
});

test("a stream says what it is, and asks everything on the way to hold nothing back", async () => {
  const response = await proxy.send(STREAM);
  const { headers } = response;
  await response.text();
  expect(response.status).toBe(200);
  expect(headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  expect(headers.get("cache-control")).toBe("no-cache");
  expect(headers.get("x-accel-buffering")).toBe("no");
  expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers.get("x-ratelimit-limit-requests")).toBe("100000");
  expect(headers.has("content-length")).toBe(false);
});

test("usage is asked of the provider whether the client asked or not", async () => {
  await proxy.call(STREAM);
  expect(proxy.standIn.requests.at(-1)?.json?.stream_options).toEqual({ include_usage: true });
});

test("each chunk arrives before the provider sends the next", async () => {
  const script = scripted();
  proxy.standIn.next({ pieces: script.pieces });
  script.send(chunk({ role: "assistant", content: "" }));
  const reader = new EventReader(await proxy.send(STREAM));
  expect((await reader.json()).choices[0].delta.role).toBe("assistant");
  for (const word of ["one", "two", "three"]) {
    script.send(chunk({ content: word }));
    expect((await reader.json()).choices[0].delta.content).toBe(word);
  }
  script.send(lastChunks(5, 3));
  script.end();
  expect((await reader.json()).usage.total_tokens).toBe(8);
  expect(await reader.rest()).toEqual(["[DONE]"]);
});

test("a chunk that the network cut inside a character arrives whole", async () => {
  const bytes = new TextEncoder().encode(chunk({ content: "na\u00efve \u{1f600}" }));
  const pieces = [...bytes].map((_, at) => bytes.subarray(at, at + 1));
  const tail = new TextEncoder().encode(lastChunks(1, 2));
  proxy.standIn.next({ pieces: [...pieces, tail] });
  const { text } = await proxy.call(STREAM);
  expect(JSON.parse(eventsOf(text)[0] ?? "").choices[0].delta.content).toBe("na\u00efve \u{1f600}");
});

test("chunks of one size that a client reads late are the ones that were sent", async () => {
  const words = Array.from({ length: 5_000 }, (_, index) => ` ${10_000 + index}`);
  const late = Promise.withResolvers<void>();
  async function* pieces() {
    for (const [index, content] of words.entries()) {
      if (index === 1_000) late.resolve();
      yield chunk({ content });
    }
    yield lastChunks(9, 5_000);
  }
  proxy.standIn.next({ pieces: pieces() });
  const answer = await proxy.send(STREAM);
  await late.promise;
  const chunks: AnyJson[] = eventsOf(await answer.text())
    .slice(0, -2)
    .map((event) => JSON.parse(event));
  expect(chunks.map(({ choices }) => choices[0].delta.content)).toEqual(words);
});

test("the finish chunk does not wait longer than usage does", async () => {
  const script = scripted();
  proxy.standIn.next({ pieces: script.pieces });
  script.send(chunk({ content: "all" }) + chunk({}, {}, "stop"));
  const reader = new EventReader(await proxy.send(STREAM));
  expect((await reader.json()).choices[0].delta.content).toBe("all");
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  script.send(chunk({}, { choices: [], usage }));
  expect((await reader.json()).usage.total_tokens).toBe(2);
  script.send("data: [DONE]\n\n");
  script.end();
  expect(await reader.rest()).toEqual(["[DONE]"]);
});

test("after 15 s of silence the client is sent a comment, and again after the next 15", async () => {
  const script = scripted();
  proxy.standIn.next({ pieces: script.pieces });
  script.send(chunk({ content: "one" }));
  const reader = new EventReader(await proxy.send(STREAM));
  await reader.next();
  const before = reader.text;
  proxy.pass(14_999);
  proxy.pass(1);
  await reader.piece();
  expect(reader.text.slice(before.length)).toBe(": ping\n\n");
  proxy.pass(14_999);
  proxy.pass(1);
  await reader.piece();
  expect(reader.text.slice(before.length)).toBe(": ping\n\n: ping\n\n");
  script.send(lastChunks(5, 3));
  script.end();
  expect(await reader.rest()).toHaveLength(2);
});

test("a chunk puts off the next comment", async () => {
  const script = scripted();
  proxy.standIn.next({ pieces: script.pieces });
  script.send(chunk({ content: "one" }));
  const reader = new EventReader(await proxy.send(STREAM));
  await reader.next();
  proxy.pass(10_000);
  script.send(chunk({ content: "two" }));
  await reader.next();
  proxy.pass(10_000);
  script.send(lastChunks(5, 3));
  script.end();
  await reader.rest();
  expect(reader.text).not.toContain("ping");
});

test("a provider that thinks in silence does not keep the client from its headers and a comment", async () => {
  const script = scripted();
  const before = proxy.standIn.count;
  proxy.standIn.next({ pieces: script.pieces });
  script.send(": thinking\n\n");
  const answering = proxy.send(STREAM);
  await received(before);
  let answered = false;
  void answering.then(() => {
    answered = true;
  });
  while (!answered) {
    proxy.pass(500);
    // What brings the headers brings this as well, so that little time passes meanwhile.
    await (await fetch(`${proxy.url}/livez`)).text();
  }
  const response = await answering;
  expect(response.status).toBe(200);
  const reader = new EventReader(response);
  await reader.piece();
  expect(reader.text).toBe(": ping\n\n");
  // The comment was a sign of life: the next has time.
  proxy.pass(1000);
  script.send(chunk({ content: "well" }) + lastChunks(5, 3));
  script.end();
  expect(await reader.rest()).toHaveLength(3);
  expect(reader.text.match(/ping/g)).toHaveLength(1);
});

test("an error of the provider as the first event is a real HTTP status", async () => {
  const error = { message: "Slow down", type: "rate_limit_error", code: "slow", param: null };
  proxy.standIn.next({ pieces: [`data: ${JSON.stringify({ error })}\n\n`] });
  const answer = await proxy.call(STREAM);
  expect(answer.status).toBe(502);
  expect(answer.headers.get("content-type")).toBe("application/json");
  expect(answer.json.error).toMatchObject({
    message: "Slow down",
    type: "rate_limit_error",
    code: "upstream_error",
    upstream_body: { error },
  });
  expect((await proxy.calls()).at(-1)).toMatchObject({ state: "voided", input_tokens: 0 });
});

test("an error of the provider in the middle ends the stream with that error and no false end", async () => {
  const error = { message: "Overloaded", type: "server_error", code: null, param: null };
  proxy.standIn.next({
    pieces: [chunk({ content: "Hel" }), `data: ${JSON.stringify({ error })}\n\n`],
  });
  const { status, text } = await proxy.call(STREAM);
  const events = eventsOf(text);
  expect(status).toBe(200);
  expect(events).toHaveLength(2);
  const last = JSON.parse(events[1] ?? "");
  expect(Object.keys(last)).toEqual(["error"]);
  expect(last.error).toMatchObject({
    message: "Overloaded",
    type: "server_error",
    param: null,
    code: "upstream_error",
    provider: "openai",
  });
  expect(text).not.toContain("event:");
  expect(text).not.toMatch(/"finish_reason":"/);
  expect((await proxy.calls()).at(-1)).toMatchObject({
    state: "posted",
    ending: "upstream_failed",
    estimated: 1,
    output_tokens: 1,
  });
});

test("text and an error in one piece: the client sees both", async () => {
  const error = { message: "Overloaded", type: "server_error", code: null, param: null };
  const piece = `${chunk({ content: "Hel" })}data: ${JSON.stringify({ error })}\n\n`;
  proxy.standIn.next({ pieces: [piece] });
  const { status, text } = await proxy.call(STREAM);
  expect(status).toBe(200);
  const events = eventsOf(text).map((event) => JSON.parse(event));
  expect(events[0].choices[0].delta.content).toBe("Hel");
  expect(events[1].error.message).toBe("Overloaded");
  expect(events).toHaveLength(2);
});

const CUTS: readonly { readonly name: string; readonly pieces: readonly string[] }[] = [
  { name: "before its finish chunk", pieces: [chunk({ content: "Hel" })] },
  {
    name: "after its finish chunk, without usage and without its end",
    pieces: [chunk({ content: "Hel" }) + chunk({}, {}, "stop")],
  },
  {
    name: "with its end but without a finish chunk",
    pieces: [chunk({ content: "Hel" }), "data: [DONE]\n\n"],
  },
  {
    name: "in the middle of an event",
    pieces: [chunk({ content: "Hel" }), chunk({ content: "lo" }).slice(0, 40)],
  },
];

test.each(CUTS)(
  "a stream that the provider ends $name ends with an error, charged",
  async ({ pieces }) => {
    proxy.standIn.next({ pieces });
    const { status, text } = await proxy.call(STREAM);
    expect(status).toBe(200);
    const events = eventsOf(text);
    expect(JSON.parse(events.at(-1) ?? "").error).toMatchObject({
      type: "server_error",
      param: null,
      code: "upstream_stream_interrupted",
    });
    expect(text).not.toContain("[DONE]");
    const [row] = (await proxy.calls()).slice(-1);
    expect(row).toMatchObject({ state: "posted", ending: "upstream_failed", estimated: 1 });
    expect(row?.output_tokens).toBeGreaterThan(0);
  },
);

test("a stream without [DONE] is complete if finish and usage have come", async () => {
  proxy.standIn.next({ pieces: [lastChunks(7, 2).replace("data: [DONE]\n\n", "")] });
  const { text } = await proxy.call(STREAM);
  const events = eventsOf(text);
  expect(events.at(-1)).toBe("[DONE]");
  expect(JSON.parse(events.at(-2) ?? "").usage.total_tokens).toBe(9);
  expect((await proxy.calls()).at(-1)).toMatchObject({ ending: "completed", estimated: 0 });
});

test("a stream without usage is given an estimate, and charged by it", async () => {
  const words = "x".repeat(70);
  proxy.standIn.next({
    pieces: [chunk({ content: words }) + chunk({}, {}, "stop") + "data: [DONE]\n\n"],
  });
  const { text } = await proxy.call(STREAM);
  const { usage } = JSON.parse(eventsOf(text).at(-2) ?? "");
  expect(usage.completion_tokens).toBe(20);
  expect(usage.total_tokens).toBe(usage.prompt_tokens + 20);
  expect((await proxy.calls()).at(-1)).toMatchObject({
    ending: "completed",
    estimated: 1,
    input_tokens: usage.prompt_tokens,
    output_tokens: 20,
  });
});

const NO_STREAMS: readonly {
  readonly name: string;
  readonly body: string;
  readonly type: string;
}[] = [
  { name: "JSON", body: JSON.stringify(completion(5, 3)), type: "application/json" },
  { name: "a page", body: "<html><title>Hello</title></html>", type: "text/html" },
  { name: "nothing", body: "", type: "text/event-stream" },
  { name: "comments only", body: ": ping\n\n: ping\n\n", type: "text/event-stream" },
  { name: "an event that is no JSON", body: "data: hello\n\n", type: "text/event-stream" },
];

test.each(NO_STREAMS)(
  "a provider that answers a stream request with $name is an HTTP error",
  async (given) => {
    proxy.standIn.next({ body: given.body, headers: { "content-type": given.type } });
    const answer = await proxy.call(STREAM);
    expect(answer.status).toBe(502);
    expect(answer.json.error).toMatchObject({ code: "upstream_error", provider: "openai" });
    expect((await proxy.calls()).at(-1)).toMatchObject({ ending: "upstream_failed" });
  },
);

test("one event without end does not fill the memory", async () => {
  const endless = `data: ${"x".repeat(1 << 16)}`;
  proxy.standIn.next({
    pieces: [chunk({ content: "Hel" }), ...Array.from({ length: 40 }, () => endless)],
  });
  const { text } = await proxy.call(STREAM);
  const events = eventsOf(text);
  expect(events).toHaveLength(2);
  expect(JSON.parse(events[1] ?? "").error.code).toBe("upstream_stream_interrupted");
});

test("a stop of the app ends a stream with an error and charges what was seen", async () => {
  const script = scripted();
  proxy.standIn.next({ pieces: script.pieces });
  script.send(chunk({ content: "Hello there" }));
  const reader = new EventReader(await proxy.send(STREAM));
  await reader.next();
  const closed = proxy.restart();
  const { error } = JSON.parse((await reader.rest()).at(-1) ?? "");
  expect(error.code).toBe("shutting_down");
  await closed;
  expect((await proxy.calls()).at(-1)).toMatchObject({
    state: "posted",
    ending: "shutdown",
    estimated: 1,
    output_tokens: 4,
  });
});
