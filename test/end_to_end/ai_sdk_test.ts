import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embed, generateText, isStepCount, jsonSchema, Output, streamText, tool } from "ai";
import { openProxy } from "../support/proxy.ts";

setDefaultTimeout(30_000);

const proxy = await openProxy();
afterAll(() => proxy.close());
await proxy.configure();
const { secret: apiKey } = await proxy.createKey();
const provider = createOpenAICompatible({
  name: "inference-proxy",
  baseURL: proxy.baseUrl,
  apiKey,
  includeUsage: true,
  supportsStructuredOutputs: true,
});

const MODELS = [
  "openai/gpt-4o-mini",
  "mistral/mistral-small-latest",
  "groq/llama-3.3-70b-versatile",
  "azure_openai/my-deployment",
  "anthropic/claude-sonnet-4-5",
];

interface Place {
  readonly city: string;
}

const PLACE = jsonSchema<Place>({
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
});

/** Two tools, which the stand-in calls at once, and a note of each call. */
function openTools() {
  const called: string[] = [];
  const lookUp = (name: string) =>
    tool({
      description: `Tells the ${name}`,
      inputSchema: PLACE,
      execute: async ({ city }) => {
        called.push(`${name} of ${city}`);
        return { [name]: `the ${name} is fine` };
      },
    });
  return { called, tools: { weather: lookUp("weather"), traffic: lookUp("traffic") } };
}

const prompt = "How is the day?";
const stopWhen = isStepCount(5);

for (const name of MODELS) {
  const model = provider(name);

  test(`${name}: generateText() calls tools, sends their results back and gets an answer`, async () => {
    const { called, tools } = openTools();
    const { steps, text, finishReason, usage } = await generateText({
      model,
      prompt,
      tools,
      stopWhen,
    });
    expect(called.toSorted()).toEqual(["traffic of text", "weather of text"]);
    expect(steps.map((step) => step.finishReason)).toEqual(["tool-calls", "stop"]);
    expect(steps[0]?.toolResults).toHaveLength(2);
    expect(finishReason).toBe("stop");
    expect(text).toContain("Hello from the stand-in provider");
    expectUsage(usage);
  });

  test(`${name}: streamText() does the same, and ends each step with its usage`, async () => {
    const { called, tools } = openTools();
    const result = streamText({
      model,
      prompt,
      tools,
      stopWhen,
      onError: ({ error }) => {
        throw error;
      },
    });
    const text = (await Array.fromAsync(result.textStream)).join("");
    expect(called.toSorted()).toEqual(["traffic of text", "weather of text"]);
    const steps = await result.steps;
    expect(steps.map((step) => step.finishReason)).toEqual(["tool-calls", "stop"]);
    expect(text).toContain("Hello from the stand-in provider");
    for (const { usage } of steps) expectUsage(usage);
    expectUsage(await result.usage);
  });

  test(`${name}: an answer is read by its schema`, async () => {
    const place = Output.object({ schema: PLACE });
    const { output } = await generateText({ model, prompt, output: place });
    expect(output).toEqual({ city: "text" });
  });
}

test("embed() gets numbers", async () => {
  const model = provider.embeddingModel("mistral/mistral-embed");
  const { embedding, usage } = await embed({ model, value: prompt });
  expect(embedding.length).toBeGreaterThan(0);
  expect(usage.tokens).toBeGreaterThan(0);
});

test("a refusal is raised with the proxy's status and words, once", async () => {
  const { count } = proxy.standIn;
  const model = provider("acme/some-model");
  const error = await generateText({ model, prompt }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ statusCode: 400, isRetryable: false });
  expect(String(error)).toContain('"acme/some-model" does not begin with one of');
  expect(proxy.standIn.count).toBe(count);
});

function expectUsage(usage: {
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  totalTokens: number | undefined;
}): void {
  const { inputTokens = 0, outputTokens = 0, totalTokens } = usage;
  expect(inputTokens).toBeGreaterThan(0);
  expect(outputTokens).toBeGreaterThan(0);
  expect(totalTokens).toBe(inputTokens + outputTokens);
}
