import { expect, test } from "bun:test";
import { CHAT, proxyForTests, withProxy } from "../support/data_plane.ts";

const proxy = await proxyForTests({ providers: ["openai", "mistral", "azure_openai"] });

function models(path = "/models") {
  return proxy.call("", { path, method: "GET" });
}

test("the list has OpenAI's shape and holds what the key can reach, sorted", async () => {
  const { status, headers, json } = await models();
  expect(status).toBe(200);
  expect(headers.get("content-type")).toBe("application/json");
  expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  expect(Object.keys(json)).toEqual(["object", "data"]);
  expect(json.object).toBe("list");
  const ids: string[] = json.data.map((model: { id: string }) => model.id);
  expect(ids).toContain("openai/gpt-4o-mini");
  expect(ids).toContain("mistral/mistral-small-latest");
  // An organization names its deployments itself, and groq is not configured.
  expect(ids.filter((id) => /^(azure_openai|groq|anthropic)\//.test(id))).toEqual([]);
  expect(ids).toEqual(ids.toSorted((a, b) => (a < b ? -1 : 1)));
  expect(json.data[0]).toEqual({
    id: ids[0] ?? "",
    object: "model",
    created: Math.floor(proxy.clock.wallMs() / 1000),
    owned_by: ids[0]?.split("/")[0] ?? "",
  });
});

test.each([
  "/models/openai/gpt-4o-mini",
  "/models/openai%2Fgpt-4o-mini",
  "//models//openai/gpt-4o-mini",
  "/models/openai/gpt-4o-mini/",
  "/models/openai/gpt-4o-mini?x=1",
])("one model is shown at %s", async (path) => {
  const { status, json } = await models(path);
  expect(status).toBe(200);
  expect(json).toEqual({
    id: "openai/gpt-4o-mini",
    object: "model",
    created: Math.floor(proxy.clock.wallMs() / 1000),
    owned_by: "openai",
  });
});

test("a model that the list does not know is shown too: lists lag behind", async () => {
  expect((await models("/models/openai/gpt-99")).json.id).toBe("openai/gpt-99");
  expect((await models("/models/azure_openai/my-deployment")).json.owned_by).toBe("azure_openai");
  expect((await models("/models/openai/ft:gpt-4o:org:name:id")).status).toBe(200);
});

test.each([
  ["/models/gpt-4o-mini", 400, "invalid_model"],
  ["/models/other/x", 400, "invalid_model"],
  ["/models/openai%2F", 400, "invalid_model"],
  ["/models/groq/llama-3.1-8b-instant", 412, "provider_not_configured"],
  ["/models/azure_openai/..%2f..", 400, "invalid_model"],
  ["/models/%E0%A4%A", 404, "unknown_url"],
] as const)("%s is refused: %i %s", async (path, status, code) => {
  const answer = await models(path);
  expect(answer.status).toBe(status);
  expect(answer.json.error.code).toBe(code);
});

test("without a key there is no list and no model", async () => {
  for (const path of ["/models", "/models/openai/gpt-4o-mini"]) {
    const options = { path, method: "GET", headers: { authorization: "" } };
    expect((await proxy.call("", options)).status).toBe(401);
  }
});

test("the list follows the organization's settings and provider configs", () =>
  withProxy({ costLimitCents: null, providers: ["openai"] }, async (other) => {
    const owners = async (): Promise<string[]> => {
      const { json } = await other.call("", { path: "/models", method: "GET" });
      const names: string[] = json.data.map((model: { owned_by: string }) => model.owned_by);
      return [...new Set(names)];
    };
    // Without settings nothing goes through.
    expect(await owners()).toEqual([]);
    await other.settings({ monthly_cost_limit_cents: 100 });
    expect(await owners()).toEqual(["openai"]);
    await other.configure("groq");
    expect(await owners()).toEqual(["groq", "openai"]);
    await other.configure("openai", { enabled: false });
    expect(await owners()).toEqual(["groq"]);
    await other.configure("mistral", { base_url: null });
    await other.settings({ eu_only: true });
    expect(await owners()).toEqual(["mistral"]);
    await other.manage("DELETE", "/providers/mistral");
    expect(await owners()).toEqual([]);
  }));

test("looking at models takes nothing from the rate limit", async () => {
  const key = await proxy.createKey({ rate_limit_rpm: 1 });
  for (let look = 0; look < 3; look += 1) {
    expect((await proxy.call("", { key, path: "/models", method: "GET" })).status).toBe(200);
  }
  expect((await proxy.call(CHAT, { key })).status).toBe(200);
});
