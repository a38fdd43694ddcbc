import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  type APIError,
  BadRequestError,
  InternalServerError,
  type OpenAI,
  RateLimitError,
} from "openai";
import type { Turn } from "../../src/stand_in/turn.ts";
import { apiError, configOf, openAiClient, openProxy, type TestProxy } from "../support/proxy.ts";

setDefaultTimeout(30_000);

const proxy = await openProxy(["--allow-upstream", "127.0.0.1:9"]);
const impatient = await openProxy([
  "--upstream-headers-timeout-s=1",
  "--upstream-idle-timeout-s=1",
]);
const open = await openProxy(["--upstream-errors", "passthrough"]);
const proxies = [proxy, impatient, open];
afterAll(() => Promise.all(proxies.map((one) => one.close())));
const secrets = new Map<TestProxy, string>();
for (const one of proxies) {
  await one.configure();
  secrets.set(one, (await one.createKey()).secret);
}
const openClient = (at: TestProxy, options = {}) =>
  openAiClient(at, secrets.get(at) ?? "", options);

const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "hi" }];
const body = { model: "openai/gpt-4o-mini", messages };

/** Longer than this is not waited: the client tries again after as long as the provider says. */
const SOON = { "retry-after": "0.01" };
const QUOTA = { error: { message: "You ran out", type: "insufficient_quota", code: null } };

type ErrorClass = abstract new (...values: never) => APIError;

const ANSWERED: { turn: Turn; retried: boolean }[] = [
  { turn: { status: 400 }, retried: false },
  { turn: { status: 401 }, retried: false },
  { turn: { status: 403 }, retried: false },
  { turn: { status: 404 }, retried: false },
  { turn: { status: 408, headers: SOON }, retried: true },
  { turn: { status: 409, headers: SOON }, retried: true },
  { turn: { status: 422 }, retried: false },
  { turn: { status: 429, headers: SOON }, retried: true },
  { turn: { status: 429, headers: { "retry-after": "61" } }, retried: false },
  { turn: { status: 429, headers: SOON, body: QUOTA }, retried: false },
  { turn: { status: 500, headers: SOON }, retried: true },
  { turn: { status: 503, headers: SOON }, retried: true },
  { turn: { status: 529, headers: SOON }, retried: true },
];

for (const { turn, retried } of ANSWERED) {
  const { status, headers } = turn;
  const what = [
    status,
    turn.body && "for want of money",
    headers && `after ${headers["retry-after"]} s`,
  ];
  test(`a provider's ${what.filter(Boolean).join(" ")}: 502 upstream_error, ${retried ? "" : "not "}tried again`, async () => {
    const { client, attempts } = openClient(proxy);
    const { count } = proxy.standIn;
    const tries = retried ? 3 : 1;
    for (let left = tries; left > 0; left -= 1) proxy.standIn.next(turn);
    const error = await apiError(client.chat.completions.create(body));
    expect(error).toBeInstanceOf(InternalServerError);
    expect(error).toMatchObject({ status: 502, code: "upstream_error" });
    expect(error.error).toMatchObject({ provider: "openai", upstream_status: status });
    expect(error.headers?.get("x-upstream-status")).toBe(String(status));
    expect(error.headers?.get("x-should-retry")).toBe(String(retried));
    expect(error.headers?.get("retry-after") ?? null).toBe(headers?.["retry-after"] ?? null);
    expect(attempts).toHaveLength(tries);
    expect(proxy.standIn.count - count).toBe(tries);
    const ids = attempts.map((attempt) => attempt.headers.get("x-request-id"));
    expect(new Set(ids).size).toBe(tries);
    expect(error.requestID).toBe(ids.at(-1));
  });
}

test("a provider that recovers is found by the next attempt", async () => {
  const { client, attempts } = openClient(proxy);
  proxy.standIn.next({ status: 503, headers: SOON });
  const { choices } = await client.chat.completions.create(body);
  expect(choices[0]?.finish_reason).toBe("stop");
  expect(attempts.map(({ status }) => status)).toEqual([502, 200]);
});

test("a provider's own words come back inside, but not those about its key", async () => {
  const { client } = openClient(proxy);
  const own = { error: { message: "Your prompt is too long", code: "context_length_exceeded" } };
  proxy.standIn.next({ status: 400, body: own });
  const told = await apiError(client.chat.completions.create(body));
  expect(told.error).toMatchObject({ message: "Your prompt is too long", upstream_body: own });
  proxy.standIn.next({ status: 401, body: { error: { message: "Incorrect API key" } } });
  const untold = await apiError(client.chat.completions.create(body));
  expect(JSON.stringify(untold.error)).not.toContain("Incorrect API key");
});

test("a provider that cannot be reached: 502 upstream_error, and the call has cost nothing", async () => {
  const config = configOf("groq", proxy.standIn);
  await proxy.manage("PUT", "/providers", { ...config, base_url: "http://127.0.0.1:9" });
  const { client } = openClient(proxy, { maxRetries: 0 });
  const model = "groq/llama-3.3-70b-versatile";
  const error = await apiError(client.chat.completions.create({ model, messages }));
  expect(error).toBeInstanceOf(InternalServerError);
  expect(error).toMatchObject({ status: 502, code: "upstream_error" });
  expect(error.headers?.get("x-should-retry")).toBe("true");
  expect((await proxy.usage()).map(({ provider }) => provider)).not.toContain("groq");
});

test("a provider that does not begin: 504 upstream_timeout, not tried again", async () => {
  const { client, attempts } = openClient(impatient);
  impatient.standIn.next({ until: new Promise(() => {}) });
  const error = await apiError(client.chat.completions.create(body));
  expect(error).toBeInstanceOf(InternalServerError);
  expect(error).toMatchObject({ status: 504, code: "upstream_timeout", type: "upstream_error" });
  expect(error.headers?.get("x-should-retry")).toBe("false");
  expect(attempts).toHaveLength(1);
  await impatient.standIn.requests.at(-1)?.hungUp;
});

/** Reads a stream to its error. */
async function readUntilError(
  at: TestProxy,
  onWord = () => {},
): Promise<{ error: APIError; text: string }> {
  const { client, attempts } = openClient(at);
  const stream = await client.chat.completions.create({ ...body, stream: true });
  let text = "";
  const read = async () => {
    for await (const { choices } of stream) {
      expect(choices[0]?.finish_reason ?? null).toBeNull();
      text += choices[0]?.delta.content ?? "";
      onWord();
    }
  };
  const error = await apiError(read());
  expect(attempts.map(({ status }) => status)).toEqual([200]);
  return { error, text };
}

const delta = (content: string) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;

test("a stream that is cut raises an error after its last word, and its part is charged", async () => {
  const [before] = await impatient.usage();
  // Cut only after the word has arrived: with the connection goes what nobody has read yet.
  const read = Promise.withResolvers<void>();
  const word = delta("Hello");
  const pieces = (async function* () {
    yield word;
    await read.promise;
    yield delta("there");
  })();
  impatient.standIn.next({ pieces, cutAfterBytes: word.length + 1 });
  const { error, text } = await readUntilError(impatient, read.resolve);
  expect(error).toMatchObject({ status: undefined, code: "upstream_stream_interrupted" });
  expect(text).toBe("Hello");
  const [after] = await impatient.usage();
  expect((after?.calls ?? 0) - (before?.calls ?? 0)).toBe(1);
  expect(after?.output_tokens ?? 0).toBeGreaterThan(before?.output_tokens ?? 0);
});

test("an error inside a stream is raised with the provider's words", async () => {
  const failure = { error: { message: "The engine stopped", type: "server_error" } };
  proxy.standIn.next({ pieces: [delta("Hello"), `data: ${JSON.stringify(failure)}\n\n`] });
  const { error, text } = await readUntilError(proxy);
  expect(error.code).toBe("upstream_error");
  expect(error.message).toContain("The engine stopped");
  expect(text).toBe("Hello");
});

test("a stream that falls silent is ended with an error", async () => {
  const pieces = (async function* () {
    yield delta("Hello");
    await new Promise(() => {});
  })();
  impatient.standIn.next({ pieces });
  const { error, text } = await readUntilError(impatient);
  expect(error.code).toBe("upstream_timeout");
  expect(text).toBe("Hello");
});

test("an error before the first word of a stream is a status, and tried again", async () => {
  const { client, attempts } = openClient(proxy);
  const failure = { error: { message: "Overloaded", type: "overloaded_error" } };
  proxy.standIn.next({ pieces: [`data: ${JSON.stringify(failure)}\n\n`] });
  const stream = await client.chat.completions.create({ ...body, stream: true });
  const chunks = await Array.fromAsync(stream);
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");
  expect(attempts.map(({ status }) => status)).toEqual([502, 200]);
});

test("passed through, a provider's refusals raise the errors that its own client would", async () => {
  const { client, attempts } = openClient(open, { maxRetries: 0 });
  const own = { error: { message: "too long", code: "context_length_exceeded" } };
  const cases: { turn: Turn; kind: ErrorClass; status: number; code: string | null }[] = [
    {
      turn: { status: 400, body: own },
      kind: BadRequestError,
      status: 400,
      code: "context_length_exceeded",
    },
    { turn: { status: 429 }, kind: RateLimitError, status: 429, code: "rate_limit_exceeded" },
    { turn: { status: 401 }, kind: InternalServerError, status: 502, code: "upstream_auth_error" },
  ];
  for (const { turn, kind, status, code } of cases) {
    open.standIn.next(turn);
    const error = await apiError(client.chat.completions.create(body));
    expect(error.constructor).toBe(kind);
    expect(error).toMatchObject({ status, code });
  }
  expect(attempts).toHaveLength(cases.length);
});
