import { afterAll, expect, test } from "bun:test";
import type { ProviderId } from "../../src/domain/provider.ts";
import { CHAT, chunk, eventsOf, PROVIDER_KEY, proxyForTests } from "../support/data_plane.ts";
import { rawAnswer, startRawUpstream } from "../support/raw_http.ts";

const upstream = await startRawUpstream();
afterAll(() => upstream.stop());

const providers: ProviderId[] = ["openai", "mistral", "groq", "azure_openai"];
const wrapped = await proxyForTests({ upstream: upstream.url, providers });
const passthrough = await proxyForTests({
  upstream: upstream.url,
  providers,
  flags: ["--upstream-errors", "passthrough"],
});

const OPENAI_429 = { message: "Slow down", type: "requests", param: null, code: "rate_limit" };

/** One refusal of a provider, and how it reaches a client in both modes. */
interface Story {
  readonly name: string;
  readonly model?: string;
  readonly status: number;
  readonly body: string | object;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether both modes say that trying again can help. */
  readonly retry: boolean;
  readonly retryAfter?: string;
  readonly message: string;
  /** The type of the error as wrapped. */
  readonly type: string;
  readonly passed: {
    readonly status: number;
    readonly type: string;
    readonly code: string | null;
    readonly param?: string | null;
  };
}

const STORIES: readonly Story[] = [
  {
    name: "a bad request",
    status: 400,
    body: {
      error: {
        message: "Bad temperature",
        type: "invalid_request_error",
        param: "temperature",
        code: "invalid_value",
      },
    },
    retry: false,
    message: "Bad temperature",
    type: "invalid_request_error",
    passed: {
      status: 400,
      type: "invalid_request_error",
      code: "invalid_value",
      param: "temperature",
    },
  },
  {
    name: "a context that is too long",
    status: 400,
    body: {
      error: {
        message: "This model's maximum context length is 10 tokens",
        type: "invalid_request_error",
        param: "messages",
        code: "context_length_exceeded",
      },
    },
    retry: false,
    message: "This model's maximum context length is 10 tokens",
    type: "invalid_request_error",
    passed: {
      status: 400,
      type: "invalid_request_error",
      code: "context_length_exceeded",
      param: "messages",
    },
  },
  {
    name: "Mistral's findings",
    model: "mistral/mistral-small-latest",
    status: 422,
    body: {
      object: "error",
      message: {
        detail: [
          { type: "extra_forbidden", loc: ["body", "store"], msg: "Not permitted", input: 1 },
        ],
      },
      type: "invalid_request_error",
      param: null,
      code: null,
    },
    retry: false,
    message: "store: Not permitted",
    type: "invalid_request_error",
    passed: { status: 400, type: "invalid_request_error", code: "invalid_value", param: "store" },
  },
  {
    name: "an unknown model",
    status: 404,
    body: {
      error: {
        message: "The model `x` does not exist",
        type: "invalid_request_error",
        param: null,
        code: "model_not_found",
      },
    },
    retry: false,
    message: "The model `x` does not exist",
    type: "invalid_request_error",
    passed: { status: 404, type: "invalid_request_error", code: "model_not_found" },
  },
  {
    name: "an unknown URL",
    status: 404,
    body: { detail: "Not Found" },
    retry: false,
    message: "Not Found",
    type: "upstream_error",
    passed: { status: 502, type: "server_error", code: "upstream_model_not_found" },
  },
  {
    name: "a request that took too long there",
    status: 408,
    body: "",
    retry: true,
    message: "The provider answered with status 408",
    type: "upstream_error",
    passed: { status: 504, type: "server_error", code: "upstream_timeout" },
  },
  {
    name: "too long a request",
    status: 413,
    body: "too large",
    retry: false,
    message: "too large",
    type: "upstream_error",
    passed: { status: 413, type: "invalid_request_error", code: "request_too_large" },
  },
  {
    name: "a rate limit of 5 s",
    status: 429,
    headers: { "retry-after": "5" },
    body: { error: OPENAI_429 },
    retry: true,
    retryAfter: "5",
    message: "Slow down",
    type: "requests",
    passed: { status: 429, type: "rate_limit_error", code: "rate_limit_exceeded" },
  },
  {
    name: "a rate limit of 120 s, which no SDK waits for",
    status: 429,
    headers: { "retry-after": "120" },
    body: { error: OPENAI_429 },
    retry: false,
    retryAfter: "120",
    message: "Slow down",
    type: "requests",
    passed: { status: 429, type: "rate_limit_error", code: "rate_limit_exceeded" },
  },
  {
    name: "an exhausted quota",
    status: 429,
    body: {
      error: {
        message: "You exceeded your current quota",
        type: "insufficient_quota",
        param: null,
        code: "insufficient_quota",
      },
    },
    retry: false,
    message: "You exceeded your current quota",
    type: "insufficient_quota",
    passed: { status: 503, type: "server_error", code: "upstream_quota_exhausted" },
  },
  {
    name: "Groq without capacity",
    model: "groq/llama-3.1-8b-instant",
    status: 498,
    body: { error: { message: "Flex tier is full", type: "capacity", code: "capacity_exceeded" } },
    retry: true,
    message: "Flex tier is full",
    type: "capacity",
    passed: { status: 503, type: "service_unavailable_error", code: "upstream_overloaded" },
  },
  {
    name: "an outage",
    status: 503,
    body: { error: { message: "Down", type: "server_error", param: null, code: null } },
    retry: true,
    message: "Down",
    type: "server_error",
    passed: { status: 503, type: "service_unavailable_error", code: "upstream_overloaded" },
  },
  {
    name: "an overload of status 529",
    status: 529,
    body: { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
    retry: true,
    message: "Overloaded",
    type: "overloaded_error",
    passed: { status: 503, type: "service_unavailable_error", code: "upstream_overloaded" },
  },
  {
    name: "a page of a gateway",
    status: 502,
    headers: { "content-type": "text/html" },
    body: "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>",
    retry: true,
    message: "502 Bad Gateway",
    type: "upstream_error",
    passed: { status: 502, type: "server_error", code: "upstream_error" },
  },
  {
    name: "an empty body",
    status: 500,
    body: "",
    retry: true,
    message: "The provider answered with status 500",
    type: "upstream_error",
    passed: { status: 502, type: "server_error", code: "upstream_error" },
  },
  {
    name: "a prompt that Azure filters",
    model: "azure_openai/my-deployment",
    status: 400,
    body: {
      error: {
        message: "Filtered",
        type: null,
        param: "prompt",
        code: "content_filter",
        innererror: { code: "ResponsibleAIPolicyViolation" },
      },
    },
    retry: false,
    message: "Filtered",
    type: "upstream_error",
    passed: {
      status: 400,
      type: "invalid_request_error",
      code: "content_filter",
      param: "prompt",
    },
  },
];

function tell({ status, body, headers }: Pick<Story, "status" | "body" | "headers">): void {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  upstream.serve = (socket) => void socket.write(rawAnswer(status, text, headers));
}

const MODES: readonly boolean[] = [false, true];

for (const story of STORIES) {
  const request = { ...CHAT, model: story.model ?? CHAT.model };
  const provider = request.model.split("/")[0] ?? "";

  test(`${story.name} (${story.status}) is wrapped in 502`, async () => {
    for (const stream of MODES) {
      tell(story);
      const answer = await wrapped.call({ ...request, stream });
      expect(answer.status).toBe(502);
      expect(answer.headers.get("x-upstream-status")).toBe(String(story.status));
      expect(answer.headers.get("x-should-retry")).toBe(String(story.retry));
      expect(answer.headers.get("retry-after")).toBe(story.retryAfter ?? null);
      expect(answer.headers.get("content-type")).toBe("application/json");
      expect(answer.json.error).toMatchObject({
        message: story.message,
        type: story.type,
        code: "upstream_error",
        provider,
        upstream_status: story.status,
        upstream_body: story.body === "" ? null : story.body,
      });
      expect((await wrapped.calls()).at(-1)).toMatchObject({
        state: "voided",
        ending: "upstream_failed",
        upstream_status: story.status,
        input_tokens: 0,
        output_tokens: 0,
        cost_microcents: 0,
      });
    }
  });

  test(`${story.name} (${story.status}) passes through as ${story.passed.status}`, async () => {
    for (const stream of MODES) {
      tell(story);
      const answer = await passthrough.call({ ...request, stream });
      expect(answer.status).toBe(story.passed.status);
      expect(answer.headers.get("x-upstream-status")).toBe(String(story.status));
      expect(answer.headers.get("x-should-retry")).toBe(String(story.retry));
      expect(answer.headers.get("retry-after")).toBe(story.retryAfter ?? null);
      const { type, code, param = null } = story.passed;
      expect(answer.json.error).toMatchObject({ message: story.message, type, code, param });
      expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    }
  });
}

test("in passthrough, Azure's verdict on the prompt is kept for those who read it", async () => {
  const story = STORIES.find(({ name }) => name.includes("Azure"));
  if (story === undefined) throw new Error("Expected the story");
  tell(story);
  const { json } = await passthrough.call({ ...CHAT, model: "azure_openai/my-deployment" });
  expect(json.error.innererror).toEqual({ code: "ResponsibleAIPolicyViolation" });
});

test.each([401, 403])(
  "a provider's %i is never the client's: 502 in both modes",
  async (status) => {
    const error = {
      message: "Incorrect API key provided: sk-abc",
      type: "x",
      code: "y",
      param: "z",
    };
    for (const mode of [wrapped, passthrough]) {
      tell({ status, body: { error } });
      const answer = await mode.call();
      expect(answer.status).toBe(502);
      expect(answer.headers.get("x-should-retry")).toBe("false");
      expect(answer.headers.get("x-upstream-status")).toBe(String(status));
      expect(answer.json.error.code).toBe(
        mode === wrapped ? "upstream_error" : "upstream_auth_error",
      );
      expect(answer.json.error.param).toBeNull();
      expect(answer.text).not.toContain("sk-abc");
      expect(answer.text).not.toContain("Incorrect");
      expect((await mode.calls()).at(-1)).toMatchObject({ state: "voided" });
    }
  },
);

const HEAD = PROVIDER_KEY.slice(0, 12);
const TAIL = PROVIDER_KEY.slice(-8);

const LEAKS: readonly { readonly name: string; readonly body: string | object }[] = [
  { name: "in the message", body: { error: { message: `Bad key ${PROVIDER_KEY}` } } },
  { name: "in part: its beginning", body: { error: { message: `Bad key ${HEAD}...` } } },
  { name: "in part: its end", body: { error: { message: `Bad key ...${TAIL}` } } },
  { name: "in part: both ends", body: { error: { message: `${HEAD}****${TAIL}`, code: TAIL } } },
  { name: "deep in the body", body: { error: { message: "No", debug: [{ sent: PROVIDER_KEY }] } } },
  { name: "as the name of a member", body: { error: { message: "No", [PROVIDER_KEY]: 1 } } },
  {
    name: "behind escapes of JSON",
    body: `{"error":{"message":"Bad ${[...PROVIDER_KEY].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")}"}}`,
  },
  { name: "in a page", body: `<html><title>${PROVIDER_KEY}</title>${PROVIDER_KEY}</html>` },
  { name: "in text", body: `no such key: ${PROVIDER_KEY}` },
  {
    name: "where a long text is cut off",
    body: `${"x".repeat(2048 - 35)}${PROVIDER_KEY}`,
  },
  {
    name: "where a long message is cut off",
    body: { error: { message: `${"x".repeat(2048 - 35)}${PROVIDER_KEY}` } },
  },
];

/** Whether any part of the key that says something is in the text. */
function keyIn(text: string): boolean {
  const parts = Array.from({ length: PROVIDER_KEY.length - 11 }, (_, at) =>
    PROVIDER_KEY.slice(at, at + 12),
  );
  return [TAIL, ...parts].some((part) => text.includes(part));
}

test.each(LEAKS)("a provider key $name does not reach the client", async ({ body }) => {
  for (const mode of [wrapped, passthrough]) {
    for (const stream of MODES) {
      tell({ status: 400, body });
      const { text, status } = await mode.call({ ...CHAT, stream });
      expect(status).toBe(mode === wrapped ? 502 : 400);
      expect(text.length).toBeGreaterThan(50);
      expect(keyIn(text)).toBe(false);
    }
    expect(keyIn(mode.logged)).toBe(false);
  }
});

test("a provider key in an error inside a stream does not reach the client", async () => {
  const error = { message: `Bad key ${PROVIDER_KEY}`, type: TAIL, code: HEAD, param: null };
  const text = `${chunk({ content: "Hel" })}data: ${JSON.stringify({ error })}\n\n`;
  const headers = { "content-type": "text/event-stream" };
  for (const mode of [wrapped, passthrough]) {
    tell({ status: 200, body: text, headers });
    const answer = await mode.call({ ...CHAT, stream: true });
    expect(eventsOf(answer.text)).toHaveLength(2);
    expect(answer.text).toContain("[redacted]");
    expect(keyIn(answer.text)).toBe(false);
  }
});

test("keys of others in a provider's error are not passed on either", async () => {
  tell({
    status: 400,
    body: { error: { message: `Bad key sk-proj-abcdefgh1234 or ${wrapped.key.secret}` } },
  });
  const { text } = await wrapped.call();
  expect(text).not.toContain("abcdefgh1234");
  expect(text).not.toContain(wrapped.key.secret.slice(8));
});

test("an endless error body is read in part", async () => {
  upstream.serve = (socket) => {
    socket.write("HTTP/1.1 500 X\r\ntransfer-encoding: chunked\r\n\r\n");
    const piece = `10000\r\n${"x".repeat(1 << 16)}\r\n`;
    const more = () => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on("drain", more);
    more();
  };
  const { status, text } = await wrapped.call();
  expect(status).toBe(502);
  expect(text.length).toBeLessThan(10_000);
});

test("a retry-after that is no time is not passed on", async () => {
  tell({ status: 429, body: { error: OPENAI_429 }, headers: { "retry-after": "<script>" } });
  const { headers } = await wrapped.call();
  expect(headers.has("retry-after")).toBe(false);
});
