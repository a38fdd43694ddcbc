import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import type OpenAI from "openai";
import { makeParseableResponseFormat } from "openai/lib/parser";
import { openAiClient, openProxy } from "../support/proxy.ts";

setDefaultTimeout(30_000);

const proxy = await openProxy();
afterAll(() => proxy.close());
await proxy.configure();
const { secret } = await proxy.createKey();
const { client } = openAiClient(proxy, secret);

const MODELS = [
  "openai/gpt-4o-mini",
  "mistral/mistral-small-latest",
  "groq/llama-3.3-70b-versatile",
  "azure_openai/my-deployment",
  "anthropic/claude-sonnet-4-5",
];

const ANSWER = 'You wrote: "hello there"';
const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "hello there" }];

const WEATHER: OpenAI.ChatCompletionFunctionTool = {
  type: "function",
  function: {
    name: "weather",
    description: "Tells the weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

/** What every answer promises of its usage. */
function expectUsage(usage: OpenAI.CompletionUsage | null | undefined): void {
  expect(usage?.prompt_tokens).toBeGreaterThan(0);
  expect(usage?.completion_tokens).toBeGreaterThan(0);
  expect(usage?.total_tokens).toBe((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0));
}

for (const model of MODELS) {
  test(`${model}: a whole answer names the model asked for and what it used`, async () => {
    const { data, response, request_id } = await client.chat.completions
      .create({ model, messages })
      .withResponse();
    expect(data.model).toBe(model);
    expect(data.object).toBe("chat.completion");
    expect(data.choices).toHaveLength(1);
    expect(data.choices[0]?.message.role).toBe("assistant");
    expect(data.choices[0]?.message.content).toContain(ANSWER);
    expect(data.choices[0]?.finish_reason).toBe("stop");
    expectUsage(data.usage);
    expect(request_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(response.headers.get("x-ratelimit-limit-requests")).toBe("100000");
    expect(Number(response.headers.get("x-ratelimit-remaining-requests"))).toBeLessThan(100_000);
  });

  test(`${model}: a stream has its usage on the chunk that finishes, and no chunk without choices`, async () => {
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    const chunks = await Array.fromAsync(stream);
    expect(textOf(chunks)).toContain(ANSWER);
    expect(chunks.every((chunk) => chunk.model === model)).toBe(true);
    expect(chunks.every((chunk) => chunk.choices.length === 1)).toBe(true);
    const last = chunks.at(-1);
    expect(last?.choices[0]?.finish_reason).toBe("stop");
    expectUsage(last?.usage);
    expect(chunks.filter((chunk) => chunk.usage != null)).toHaveLength(1);
  });

  test(`${model}: a stream that was asked for usage ends in a chunk of its own for it`, async () => {
    const stream = await client.chat.completions.create({
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await Array.fromAsync(stream);
    expect(textOf(chunks)).toContain(ANSWER);
    const [finish, last] = chunks.slice(-2);
    expect(finish?.choices[0]?.finish_reason).toBe("stop");
    expect(last?.choices).toEqual([]);
    expectUsage(last?.usage);
    expect(chunks.filter((chunk) => chunk.usage != null)).toHaveLength(1);
  });

  test(`${model}: the stream helper collects tool calls, and their results can be sent back`, async () => {
    const stream = client.chat.completions.stream({ model, messages, tools: [WEATHER] });
    const pieces: string[] = [];
    stream.on("tool_calls.function.arguments.delta", (delta) => {
      pieces.push(delta.arguments_delta);
    });
    const done: string[] = [];
    stream.on("tool_calls.function.arguments.done", (call) => done.push(call.name));
    const completion = await stream.finalChatCompletion();
    const [choice] = completion.choices;
    expect(choice?.finish_reason).toBe("tool_calls");
    expect(choice?.message.tool_calls).toHaveLength(1);
    const [call] = choice?.message.tool_calls ?? [];
    if (call?.type !== "function") throw new Error("Expected a function call");
    expect(call.function.name).toBe("weather");
    expect(JSON.parse(call.function.arguments)).toEqual({ city: "text" });
    expect(pieces.join("")).toBe(call.function.arguments);
    expect(done).toEqual(["weather"]);
    expectUsage(completion.usage);

    const result: OpenAI.ChatCompletionToolMessageParam = {
      role: "tool",
      tool_call_id: call.id,
      content: "sunny",
    };
    const next = await client.chat.completions.create({
      model,
      messages: [...messages, { role: "assistant", tool_calls: [call] }, result],
      tools: [WEATHER],
    });
    expect(next.choices[0]?.finish_reason).toBe("stop");
    expect(next.choices[0]?.message.content).toContain("Hello from the stand-in provider");
  });

  test(`${model}: parse() reads an answer by its schema`, async () => {
    const schema = {
      type: "object",
      properties: { city: { type: "string" }, degrees: { type: "number" } },
      required: ["city", "degrees"],
      additionalProperties: false,
    };
    const format = makeParseableResponseFormat<{ city: string; degrees: number }>(
      { type: "json_schema", json_schema: { name: "weather", strict: true, schema } },
      (text) => JSON.parse(text),
    );
    const completion = await client.chat.completions.parse({
      model,
      messages,
      response_format: format,
    });
    expect(completion.choices[0]?.message.parsed).toEqual({ city: "text", degrees: 1 });
  });
}

test("an output cap ends the answer, by the name that OpenAI's older models and its newer ones know", async () => {
  for (const cap of [{ max_tokens: 3 }, { max_completion_tokens: 3 }]) {
    for (const model of MODELS) {
      const { choices, usage } = await client.chat.completions.create({ model, messages, ...cap });
      expect(choices[0]?.finish_reason).toBe("length");
      expect(usage?.completion_tokens).toBe(3);
    }
  }
});

test("nothing of the client's headers reaches the provider, and its key is the provider's own", async () => {
  const named = openAiClient(proxy, secret, {
    organization: "org-of-the-client",
    project: "project-of-the-client",
    defaultHeaders: { cookie: "a=client", "x-openwebui-user-name": "client" },
  });
  for (const model of MODELS) {
    await named.client.chat.completions.create({ model, messages });
    const headers = JSON.stringify(proxy.standIn.requests.at(-1)?.headers);
    expect(headers).toContain("sk-canary");
    expect(headers).not.toMatch(/fdb-inf-|stainless|client/i);
  }
});

function textOf(chunks: OpenAI.ChatCompletionChunk[]): string {
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
}
