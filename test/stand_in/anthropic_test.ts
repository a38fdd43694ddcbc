import { expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import { eventsOf, post, standInForTests } from "./stand_in_client.ts";

const standIn = standInForTests();
const url = `${standIn.baseUrls.anthropic}/v1/messages`;
const user = (content: unknown) => ({ role: "user", content });
const CALL = { model: "claude-sonnet-4-5", max_tokens: 100, messages: [user("hi")] };
const TOOL = {
  name: "weather",
  input_schema: { type: "object", properties: { city: { type: "string" } } },
};
const use = (id: string) => ({ type: "tool_use", id, name: "weather", input: {} });
const result = (id: string) => ({ type: "tool_result", tool_use_id: id, content: "sunny" });
const assistant = (...content: unknown[]) => ({ role: "assistant", content });

test("a whole answer echoes the question", async () => {
  const { status, json } = await post(url, CALL);
  expect(status).toBe(200);
  expect(json).toMatchObject({ type: "message", role: "assistant", stop_reason: "end_turn" });
  expect(json.content[0].text).toContain('"hi"');
  expect(json.usage.output_tokens).toBe(json.content[0].text.split(" ").length);
});

test("a stream runs from message_start to message_stop and says the same", async () => {
  const whole = await post(url, CALL);
  const events = eventsOf((await post(url, { ...CALL, stream: true })).text);
  const data = events.map((event) => JSON.parse(event.data));
  expect(events.map((event) => event.name)).toEqual(data.map((one) => one.type));
  expect(data[0].type).toBe("message_start");
  expect(data.at(-1).type).toBe("message_stop");
  expect(data.filter((one) => one.type === "ping").length).toBeGreaterThan(1);
  const text = data.map((one) => one.delta?.text ?? "").join("");
  expect(text).toBe(whole.json.content[0].text);
  const end = data.find((one) => one.type === "message_delta");
  expect(end.usage.output_tokens).toBe(whole.json.usage.output_tokens);
});

test("thinking comes first, with a signature, and counts as output", async () => {
  const body = { ...CALL, max_tokens: 2000, thinking: { type: "enabled", budget_tokens: 1024 } };
  const { json } = await post(url, body);
  expect(json.content.map((block: { type: string }) => block.type)).toEqual(["thinking", "text"]);
  expect(json.usage.output_tokens_details).toEqual({ thinking_tokens: 8 });
});

test("tools are called, and their arguments streamed in pieces after an empty one", async () => {
  const body = { ...CALL, tools: [TOOL], stream: true };
  const data = eventsOf((await post(url, body)).text).map((event) => JSON.parse(event.data));
  const pieces = data.filter((one) => one.delta?.type === "input_json_delta");
  expect(pieces[0].delta.partial_json).toBe("");
  expect(pieces.length).toBeGreaterThan(2);
  const text = pieces.map((one) => one.delta.partial_json).join("");
  expect(JSON.parse(text)).toEqual({ city: "text" });
  expect(data.find((one) => one.type === "message_delta").delta.stop_reason).toBe("tool_use");
});

test("max_tokens cuts the answer, a stop sequence ends it and is named", async () => {
  const cut = await post(url, { ...CALL, max_tokens: 2 });
  expect(cut.json).toMatchObject({ content: [{ text: "Hello from" }], stop_reason: "max_tokens" });
  const stopped = await post(url, { ...CALL, stop_sequences: [" the"] });
  expect(stopped.json).toMatchObject({
    content: [{ text: "Hello from" }],
    stop_reason: "stop_sequence",
    stop_sequence: " the",
  });
});

const NEWER = { model: "claude-opus-5-5" };
const FORMAT = (schema: object) => ({ output_config: { format: { type: "json_schema", schema } } });
const OBJECT = { type: "object", additionalProperties: false };

const REFUSED: { what: string; body: object; says: string }[] = [
  { what: "an unknown key", body: { user: "u" }, says: "user: Extra inputs are not permitted" },
  {
    what: "an unknown key in a block",
    body: { messages: [user([{ type: "text", text: "x", extra: 1 }])] },
    says: "messages.0.content.0.extra: Extra inputs are not permitted",
  },
  { what: "no max_tokens", body: { max_tokens: undefined }, says: "max_tokens: Field required" },
  { what: "too many max_tokens", body: { max_tokens: 64_001 }, says: "64001 > 64000" },
  { what: "no messages", body: { messages: [] }, says: "messages" },
  {
    what: "an empty text block",
    body: { messages: [user([{ type: "text", text: "" }])] },
    says: "non-empty",
  },
  { what: "an empty message", body: { messages: [user("")] }, says: "non-empty" },
  {
    what: "an empty system block",
    body: { system: [{ type: "text", text: " " }] },
    says: "non-empty",
  },
  {
    what: "the role tool",
    body: { messages: [{ role: "tool", content: "x" }] },
    says: "messages.0.role",
  },
  {
    what: "the role system on an older model",
    body: { messages: [user("x"), { role: "system", content: "y" }, user("z")] },
    says: "role 'system' is not supported on this model",
  },
  {
    what: "a tool use without a result",
    body: { messages: [user("x"), assistant(use("t1")), user("y")] },
    says: "`tool_use` ids were found without `tool_result` blocks immediately after: t1",
  },
  {
    what: "a result without a tool use",
    body: { messages: [user([result("t1")])] },
    says: "unexpected `tool_use_id` found in `tool_result` blocks: t1",
  },
  {
    what: "a result after text",
    body: {
      messages: [
        user("x"),
        assistant(use("t1")),
        user([{ type: "text", text: "y" }, result("t1")]),
      ],
    },
    says: "must come before other content",
  },
  {
    what: "a tool use id twice",
    body: { messages: [user("x"), assistant(use("t1"), use("t1")), user([result("t1")])] },
    says: "ids must be unique",
  },
  {
    what: "tool input that is no object",
    body: { messages: [user("x"), assistant({ ...use("t"), input: "{}" })] },
    says: "messages.1.content.0.input",
  },
  {
    what: "a choice of tools without tools",
    body: { tool_choice: { type: "auto" } },
    says: "tool_choice",
  },
  {
    what: "a forced tool that is not there",
    body: { tools: [TOOL], tool_choice: { type: "tool", name: "other" } },
    says: "'other' not found",
  },
  {
    what: "a forced tool on a model without",
    body: { ...NEWER, tools: [TOOL], tool_choice: { type: "any" } },
    says: "not supported for this model",
  },
  {
    what: "a schema with alternatives at its root",
    body: { tools: [{ ...TOOL, input_schema: { type: "object", anyOf: [] } }] },
    says: "does not support oneOf, allOf, or anyOf at the top level",
  },
  {
    what: "a schema that is no object",
    body: { tools: [{ ...TOOL, input_schema: { type: "string" } }] },
    says: "input_schema.type",
  },
  { what: "a temperature over 1", body: { temperature: 1.2 }, says: "temperature" },
  {
    what: "temperature and top_p together",
    body: { temperature: 0.5, top_p: 0.5 },
    says: "cannot both be specified",
  },
  {
    what: "a temperature on a newer model",
    body: { ...NEWER, temperature: 0.5 },
    says: "not supported for this model",
  },
  {
    what: "top_k on a newer model",
    body: { ...NEWER, top_k: 5 },
    says: "not supported for this model",
  },
  {
    what: "adaptive thinking on an older model",
    body: { thinking: { type: "adaptive" } },
    says: "thinking.type",
  },
  {
    what: "no thinking on a model that always thinks",
    body: { ...NEWER, thinking: { type: "disabled" } },
    says: "thinking.type",
  },
  {
    what: "a budget over max_tokens",
    body: { thinking: { type: "enabled", budget_tokens: 1024 } },
    says: "must be greater than",
  },
  {
    what: "a temperature while thinking",
    body: { max_tokens: 2000, temperature: 0, thinking: { type: "enabled", budget_tokens: 1024 } },
    says: "may only be set to 1 when thinking is enabled",
  },
  {
    what: "a tool use without its thoughts while thinking",
    body: {
      max_tokens: 2000,
      thinking: { type: "enabled", budget_tokens: 1024 },
      messages: [user("x"), assistant(use("t1")), user([result("t1")])],
    },
    says: "Expected `thinking`",
  },
  {
    what: "an effort on a model without",
    body: { output_config: { effort: "low" } },
    says: "output_config.effort",
  },
  {
    what: "an open object in a schema",
    body: FORMAT({ type: "object" }),
    says: "additionalProperties",
  },
  {
    what: "a bound in a schema",
    body: FORMAT({ ...OBJECT, properties: { a: { type: "integer", minimum: 1 } } }),
    says: "'minimum' is not supported",
  },
  {
    what: "a schema that refers to itself",
    body: FORMAT({
      ...OBJECT,
      properties: { a: { $ref: "#/$defs/a" } },
      $defs: { a: { ...OBJECT, properties: { a: { $ref: "#/$defs/a" } } } },
    }),
    says: "Recursive schemas",
  },
  {
    what: "an answer begun for a newer model",
    body: { ...NEWER, messages: [user("x"), assistant({ type: "text", text: "{" })] },
    says: "prefill",
  },
  { what: "a blank stop sequence", body: { stop_sequences: [" "] }, says: "non-whitespace" },
  {
    what: "an image of another type",
    body: {
      messages: [
        user([
          { type: "image", source: { type: "base64", media_type: "image/bmp", data: "AA==" } },
        ]),
      ],
    },
    says: "media_type",
  },
  {
    what: "five breakpoints",
    body: {
      messages: [
        user(
          Array.from({ length: 5 }, () => ({
            type: "text",
            text: "x",
            cache_control: { type: "ephemeral" },
          })),
        ),
      ],
    },
    says: "Found 5",
  },
];

for (const { what, body, says } of REFUSED) {
  test(`${what} is refused`, async () => {
    const { status, json } = await post(url, { ...CALL, ...body });
    expect(status).toBe(400);
    expect(json).toMatchObject({ type: "error", error: { type: "invalid_request_error" } });
    expect(json.error.message).toContain(says);
  });
}

const ACCEPTED: { what: string; body: object }[] = [
  { what: "neutral sampling on a newer model", body: { ...NEWER, temperature: 1, top_p: 0.99 } },
  {
    what: "a closed schema",
    body: FORMAT({ ...OBJECT, properties: { minimum: { type: "string" } } }),
  },
  {
    what: "an answer begun for an older model",
    body: { messages: [user("x"), assistant({ type: "text", text: "{" })] },
  },
  {
    what: "parallel results and then text",
    body: {
      messages: [
        user("x"),
        assistant({ type: "text", text: "y" }, use("t1"), use("t2")),
        user([result("t1"), result("t2"), { type: "text", text: "z" }]),
      ],
    },
  },
  {
    what: "results split over two messages of the user",
    body: {
      messages: [
        user("x"),
        assistant(use("t1"), use("t2")),
        user([result("t1")]),
        user([result("t2")]),
      ],
    },
  },
];

for (const { what, body } of ACCEPTED) {
  test(`${what} is accepted`, async () => {
    const { status, text } = await post(url, { ...CALL, ...body });
    expect({ status, text: status === 200 ? "" : text }).toEqual({ status: 200, text: "" });
  });
}

test("a request without a version or a key is refused", async () => {
  expect((await post(url, CALL, { "anthropic-version": "" })).status).toBe(400);
  expect((await post(url, CALL, { authorization: "" })).json.error.type).toBe(
    "authentication_error",
  );
  expect((await post(url, CALL, { authorization: "", "x-api-key": "k" })).status).toBe(200);
});

test("Anthropic's own client reads its answers", async () => {
  const client = new Anthropic({ apiKey: "k", baseURL: standIn.baseUrls.anthropic, maxRetries: 0 });
  const message = await client.messages
    .stream({
      model: "claude-opus-5-5",
      max_tokens: 100,
      messages: [{ role: "user", content: "hi" }],
      tools: [{ name: "weather", input_schema: { type: "object" } }],
    })
    .finalMessage();
  expect(message.content[0]).toMatchObject({ type: "tool_use", name: "weather", input: {} });
  const models = await client.models.list();
  expect(models.data.map((model) => model.id)).toContain("claude-opus-5-5");
});
