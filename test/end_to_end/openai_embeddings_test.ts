import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { BadRequestError } from "openai";
import { apiError, openAiClient, openProxy } from "../support/proxy.ts";

setDefaultTimeout(30_000);

const proxy = await openProxy();
afterAll(() => proxy.close());
await proxy.configure();
const { secret } = await proxy.createKey();
const { client, attempts } = openAiClient(proxy, secret);

const MODELS = [
  "openai/text-embedding-3-small",
  "mistral/mistral-embed",
  "azure_openai/my-embeddings",
];
const input = ["one", "two"];

for (const model of MODELS) {
  test(`${model}: the client's default is base64, and reads the same numbers as floats`, async () => {
    const floats = await client.embeddings.create({ model, input, encoding_format: "float" });
    const decoded = await client.embeddings.create({ model, input });
    expect(floats.model).toBe(model);
    expect(floats.data.map(({ index }) => index)).toEqual([0, 1]);
    expect(floats.data[0]?.embedding.length).toBeGreaterThan(0);
    expect(floats.data[0]?.embedding).not.toEqual(floats.data[1]?.embedding ?? []);
    expect(decoded.data).toEqual(floats.data);
    expect(decoded.usage).toEqual(floats.usage);
    expect(floats.usage.prompt_tokens).toBe(floats.usage.total_tokens);
    expect(floats.usage.total_tokens).toBeGreaterThan(0);
  });

  test(`${model}: base64 goes over the wire as text`, async () => {
    const response = await fetch(`${proxy.baseUrl}/embeddings`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}` },
      body: JSON.stringify({ model, input: "one", encoding_format: "base64" }),
    });
    const { data } = (await response.json()) as { data: { embedding: unknown }[] };
    expect(data[0]?.embedding).toBeString();
  });
}

test("token numbers are embedded by the providers that take them", async () => {
  const [openai = "", mistral = "", azure = ""] = MODELS;
  for (const model of [openai, azure]) {
    const { data } = await client.embeddings.create({ model, input: [[1, 2], [3]] });
    expect(data).toHaveLength(2);
  }
  const refused = client.embeddings.create({ model: mistral, input: [[1, 2], [3]] });
  expect(await apiError(refused)).toMatchObject({ status: 400, param: "input" });
});

test("a model without embeddings is refused before anything leaves", async () => {
  const attemptsBefore = attempts.length;
  const { count } = proxy.standIn;
  const model = "anthropic/claude-sonnet-4-5";
  const error = await apiError(client.embeddings.create({ model, input: "one" }));
  expect(error).toBeInstanceOf(BadRequestError);
  expect(error).toMatchObject({ status: 400, code: "invalid_model", param: "model" });
  expect(attempts.length - attemptsBefore).toBe(1);
  expect(proxy.standIn.count).toBe(count);
});

test("groq's embeddings are passed on to the provider, whose refusal comes back inside", async () => {
  const call = client.embeddings.create({ model: "groq/nomic-embed-text-v1_5", input: "one" });
  expect(await apiError(call)).toMatchObject({
    status: 502,
    code: "upstream_error",
    error: { provider: "groq", upstream_status: 404 },
  });
});
