import { expect, test } from "bun:test";
import OpenAI from "openai";
import { chunksOf, post, standInForTests } from "./stand_in_client.ts";

const standIn = standInForTests();
const chatUrl = `${standIn.baseUrls.openai}/chat/completions`;
const user = (content: string) => ({ role: "user", content });
const WEATHER = {
  type: "function",
  function: {
    name: "weather",
    parameters: {
      type: "object",
      properties: { city: { type: "string" }, days: { type: "integer" } },
    },
  },
} as const;

test("a whole answer echoes the question and counts its words", async () => {
  const { status, json } = await post(chatUrl, { model: "gpt-4o", messages: [user("ping?")] });
  expect(status).toBe(200);
  const content = json.choices[0].message.content as string;
  expect(content).toContain('"ping?"');
  expect(json.choices[0].finish_reason).toBe("stop");
  expect(json.usage.completion_tokens).toBe(content.split(" ").length);
  expect(json.usage.total_tokens).toBe(json.usage.prompt_tokens + json.usage.completion_tokens);
});

test("a stream says the same as the whole answer, and usage only when it is asked for", async () => {
  const request = { model: "gpt-4o", messages: [user("ping?")] };
  const whole = await post(chatUrl, request);
  const quiet = chunksOf((await post(chatUrl, { ...request, stream: true })).text);
  const asking = { ...request, stream: true, stream_options: { include_usage: true } };
  const asked = chunksOf((await post(chatUrl, asking)).text);
  const text = quiet.map((chunk) => chunk.choices[0].delta.content ?? "").join("");
  expect(text).toBe(whole.json.choices[0].message.content);
  expect(quiet.some((chunk) => "usage" in chunk)).toBe(false);
  expect(asked.pop()).toMatchObject({ choices: [], usage: whole.json.usage });
  expect(asked.every((chunk) => chunk.usage === null)).toBe(true);
});

test("max_completion_tokens cuts the answer, a stop sequence ends it", async () => {
  const request = { model: "gpt-5", messages: [user("x")] };
  const cut = await post(chatUrl, { ...request, max_completion_tokens: 3 });
  expect(cut.json.choices[0]).toMatchObject({
    message: { content: "Hello from the" },
    finish_reason: "length",
  });
  expect(cut.json.usage.completion_tokens).toBe(3);
  const stopped = await post(chatUrl, { ...request, stop: " stand-in" });
  expect(stopped.json.choices[0]).toMatchObject({
    message: { content: "Hello from the" },
    finish_reason: "stop",
  });
});

test("the arguments of a streamed tool call arrive in several deltas and are whole in the end", async () => {
  const request = { model: "gpt-4o", messages: [user("x")], tools: [WEATHER], stream: true };
  const chunks = chunksOf((await post(chatUrl, request)).text);
  const deltas = chunks.flatMap((chunk) => chunk.choices[0].delta.tool_calls ?? []);
  expect(deltas.length).toBeGreaterThan(2);
  expect(deltas[0]).toMatchObject({ index: 0, type: "function", function: { name: "weather" } });
  const text = deltas.map((delta) => delta.function.arguments).join("");
  expect(JSON.parse(text)).toEqual({ city: "text", days: 1 });
  expect(chunks.at(-1).choices[0].finish_reason).toBe("tool_calls");
});

test("a tool's result is answered with text", async () => {
  const call = { id: "c1", type: "function", function: { name: "weather", arguments: "{}" } };
  const messages = [
    user("x"),
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "c1", content: "sunny" },
  ];
  const { json } = await post(chatUrl, { model: "gpt-4o", messages, tools: [WEATHER] });
  expect(json.choices[0].message.content).toContain("Hello");
});

test("an answer to a schema fits it", async () => {
  const schema = {
    type: "object",
    properties: {
      kind: { enum: ["a", "b"] },
      list: { type: "array", items: { $ref: "#/$defs/item" } },
      maybe: { anyOf: [{ type: "null" }, { type: "string" }] },
    },
    $defs: { item: { type: "number", minimum: 4 } },
  };
  const format = { type: "json_schema", json_schema: { name: "x", schema } };
  const request = { model: "gpt-4o", messages: [user("x")], response_format: format };
  const { json } = await post(chatUrl, request);
  const answer: unknown = JSON.parse(json.choices[0].message.content);
  expect(answer).toEqual({ kind: "a", list: [4], maybe: null });
});

test("several choices are whole answers of their own", async () => {
  const request = { model: "gpt-4o", messages: [user("x")], n: 2, stream: true };
  const chunks = chunksOf((await post(chatUrl, request)).text);
  for (const index of [0, 1]) {
    const own = chunks.filter((chunk) => chunk.choices[0].index === index);
    expect(own.at(-1).choices[0].finish_reason).toBe("stop");
    expect(own.length).toBeGreaterThan(3);
  }
});

const REFUSED = [
  { what: "no messages", body: { model: "m", messages: [] }, param: "messages" },
  {
    what: "an unknown role",
    body: { model: "m", messages: [{ role: "x" }] },
    param: "messages.0.role",
  },
  { what: "max_tokens on a model that thinks", body: { max_tokens: 5 }, param: "max_tokens" },
  {
    what: "stream options without a stream",
    body: { stream_options: {} },
    param: "stream_options",
  },
  { what: "a choice of tools without tools", body: { tool_choice: "auto" }, param: "tool_choice" },
  { what: "an empty list of tools", body: { tools: [] }, param: "tools" },
  {
    what: "an answer to no tool call",
    body: { messages: [user("x"), { role: "tool", tool_call_id: "c", content: "y" }] },
    param: "messages.[1].role",
  },
  {
    what: "a tool call without an answer",
    body: { messages: [{ role: "assistant", tool_calls: [{ id: "c" }] }, user("x")] },
    param: "messages.[1].role",
  },
];

for (const { what, body, param } of REFUSED) {
  test(`${what} is refused by name`, async () => {
    const request = { model: "gpt-5", messages: [user("x")], ...body };
    const { status, json } = await post(chatUrl, request);
    expect(status).toBe(400);
    expect(json.error).toMatchObject({ type: "invalid_request_error", param });
  });
}

test("a request without a key is refused", async () => {
  const { status, json } = await post(chatUrl, {}, { authorization: "" });
  expect(status).toBe(401);
  expect(json.error.code).toBe("invalid_api_key");
});

test("the same text has the same vector, in numbers and in base64", async () => {
  const url = `${standIn.baseUrls.openai}/embeddings`;
  const request = { model: "e", input: ["one", "two"] };
  const floats = (await post(url, request)).json;
  const base64 = (await post(url, { ...request, encoding_format: "base64" })).json;
  expect(floats.data[0].embedding).not.toEqual(floats.data[1].embedding);
  for (const index of [0, 1]) {
    const bytes = Uint8Array.fromBase64(base64.data[index].embedding);
    expect([...new Float32Array(bytes.buffer)]).toEqual(floats.data[index].embedding);
  }
});

test("token arrays count as they are, dimensions are obeyed, empty input is refused", async () => {
  const url = `${standIn.baseUrls.openai}/embeddings`;
  const one = await post(url, { model: "e", input: [1, 2, 3], dimensions: 40 });
  expect(one.json.data).toHaveLength(1);
  expect(one.json.data[0].embedding).toHaveLength(40);
  expect(one.json.usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
  const two = await post(url, { model: "e", input: [[1], [2, 3]] });
  expect(two.json.data).toHaveLength(2);
  for (const input of ["", [], [""], [[]]]) {
    expect((await post(url, { model: "e", input })).status).toBe(400);
  }
});

test("OpenAI's own client reads its answers", async () => {
  const client = new OpenAI({ apiKey: "sk-test", baseURL: standIn.baseUrls.openai, maxRetries: 0 });
  const stream = client.chat.completions.stream({
    model: "gpt-4o",
    messages: [{ role: "user", content: "hi" }],
    tools: [WEATHER],
  });
  const completion = await stream.finalChatCompletion();
  expect(completion.choices[0]?.message.tool_calls?.[0]).toMatchObject({
    function: { name: "weather", arguments: '{"city":"text","days":1}' },
  });
  const vector = await client.embeddings.create({ model: "e", input: "x" });
  expect(vector.data[0]?.embedding).toHaveLength(16);
  const models = await client.models.list();
  expect(models.data.map((model) => model.id)).toContain("gpt-5");
});
