import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { NotFoundError, type OpenAI } from "openai";
import { apiError, openAiClient, openProxy } from "../support/proxy.ts";

setDefaultTimeout(30_000);

const proxy = await openProxy();
afterAll(() => proxy.close());
await proxy.configure();
const { secret } = await proxy.createKey();
const { client } = openAiClient(proxy, secret);

test("models are listed sorted, as provider/model, for the providers that are configured", async () => {
  const models = await Array.fromAsync(client.models.list());
  const ids = models.map(({ id }) => id);
  expect(ids).toContain("openai/gpt-4o-mini");
  expect(ids).toEqual(ids.toSorted((a, b) => (a < b ? -1 : 1)));
  expect(new Set(ids).size).toBe(ids.length);
  expect([...new Set(models.map((model) => model.owned_by))].toSorted()).toEqual([
    "anthropic",
    "groq",
    "mistral",
    "openai",
  ]);
  for (const { id, object, created, owned_by } of models) {
    expect(id.startsWith(`${owned_by}/`)).toBe(true);
    expect(object).toBe("model");
    expect(Number.isInteger(created)).toBe(true);
  }
});

test("a model is found by an id with slashes, however the client writes them", async () => {
  for (const id of ["openai/gpt-4o-mini", "groq/openai/gpt-oss-120b", "azure_openai/mine"]) {
    expect(await client.models.retrieve(id)).toMatchObject({ id, object: "model" });
    const plain = await client.get<OpenAI.Model>(`/models/${id}`, {});
    expect(plain.id).toBe(id);
  }
});

test("a disabled provider's models are neither listed nor found", async () => {
  await proxy.manage("PUT", "/providers", {
    provider: "mistral",
    base_url: proxy.standIn.baseUrls.mistral,
    enabled: false,
  });
  const models = await Array.fromAsync(client.models.list());
  expect(models.filter((model) => model.owned_by === "mistral")).toEqual([]);
  expect(models.some((model) => model.owned_by === "openai")).toBe(true);
  const missing = client.models.retrieve("mistral/mistral-small-latest");
  expect(await apiError(missing)).toMatchObject({ status: 412, code: "provider_not_configured" });
});

/** What the client can ask for and the proxy does not have. */
const UNKNOWN: { what: string; ask: (openai: OpenAI) => PromiseLike<unknown> }[] = [
  {
    what: "responses",
    ask: (openai) => openai.responses.create({ model: "openai/x", input: "y" }),
  },
  {
    what: "completions",
    ask: (openai) => openai.completions.create({ model: "openai/x", prompt: "y" }),
  },
  { what: "moderations", ask: (openai) => openai.moderations.create({ input: "y" }) },
  { what: "files", ask: (openai) => openai.files.list() },
  { what: "images", ask: (openai) => openai.images.generate({ prompt: "y" }) },
  { what: "batches", ask: (openai) => openai.batches.retrieve("b") },
];

for (const { what, ask } of UNKNOWN) {
  test(`${what}: is told to be unknown once, with what is served`, async () => {
    const counting = openAiClient(proxy, secret);
    const error = await apiError(ask(counting.client));
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error).toMatchObject({ status: 404, code: "unknown_url" });
    expect(String(error)).toContain("/inference/v1/chat/completions");
    expect(counting.attempts).toHaveLength(1);
  });
}

test("a base URL without the path of the proxy is told what it should be", async () => {
  const { client: lost } = openAiClient({ baseUrl: `${proxy.binary.url}/v1` }, secret);
  const call = lost.chat.completions.create({ model: "openai/x", messages: [] });
  expect((await apiError(call)).message).toContain("should end in /inference/v1");
});

test("a wrong method is refused once, with the right one", async () => {
  const counting = openAiClient(proxy, secret);
  const error = await apiError(counting.client.get("/chat/completions"));
  expect(error).toMatchObject({ status: 405, code: "method_not_allowed" });
  expect(error.headers?.get("allow")).toBe("POST");
  expect(counting.attempts).toHaveLength(1);
});
