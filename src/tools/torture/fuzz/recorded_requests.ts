import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseTxtar } from "../../../../test/support/txtar.ts";
import { type JsonObject, parseJsonObject } from "../../../std/json.ts";
import type { CreatedKey, Proxy } from "../proxy.ts";
import type { HttpRequest } from "./http_request.ts";

const STORIES = join(import.meta.dir, "../../../../test/wire/testdata");
const REQUEST = "client_request.json";

const CHAT = {
  model: "openai/gpt-4o-mini",
  messages: [{ role: "user", content: "How many are there, and why?" }],
  max_tokens: 20,
};
const EMBEDDINGS = { model: "openai/text-embedding-3-small", input: ["one", "two"] };
const UUID = "01900000-0000-7000-8000-000000000000";

/** Returns the bodies that clients send in the recorded stories of every provider. */
export function recordedBodies(): JsonObject[] {
  return readdirSync(STORIES, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".txtar"))
    .toSorted()
    .flatMap((path) => {
      const { sections } = parseTxtar(readFileSync(join(STORIES, path), "utf8"));
      const body = parseJsonObject(sections.get(REQUEST) ?? "");
      return body === null ? [] : [body];
    });
}

/** Returns what is called with such a body. */
export function callWith(body: string, { secret }: Pick<CreatedKey, "secret">): HttpRequest {
  const operation = body.includes('"input"') ? "embeddings" : "chat/completions";
  return {
    method: "POST",
    path: `/inference/v1/${operation}`,
    headers: { authorization: `Bearer ${secret}` },
    body,
  };
}

/** Returns a request of each kind to the data plane, the management plane and the probes. */
export function recordedRequests(proxy: Proxy, key: CreatedKey): HttpRequest[] {
  const owner = { authorization: proxy.authorization, accept: "application/json" };
  const manage = (method: string, path: string, body?: object): HttpRequest => {
    const text = body === undefined ? null : JSON.stringify(body);
    return { method, path, headers: owner, body: text };
  };
  const here = (method: string, path: string, body?: object) =>
    manage(method, proxy.managementPath + path, body);
  const get = (path: string, headers: Record<string, string> = {}): HttpRequest => {
    return { method: "GET", path, headers, body: null };
  };
  const bearer = { authorization: `Bearer ${key.secret}` };
  return [
    callWith(JSON.stringify(CHAT), key),
    callWith(JSON.stringify({ ...CHAT, stream: true }), key),
    callWith(JSON.stringify({ ...CHAT, model: "anthropic/claude-opus-5-5" }), key),
    callWith(JSON.stringify(EMBEDDINGS), key),
    { ...callWith(JSON.stringify(CHAT), key), headers: { "x-api-key": key.secret } },
    {
      ...callWith(JSON.stringify(CHAT), key),
      headers: { "api-key": key.secret, expect: "100-continue" },
    },
    get("/inference/v1/models", bearer),
    get("/inference/v1/models/openai/gpt-4o-mini", bearer),
    get("/inference/v1/models/groq%2Fllama-3.3-70b-versatile?x=%00&y", bearer),
    { ...get("/inference/v1/chat/completions", { origin: "http://a" }), method: "OPTIONS" },
    ...["/", "/livez", "/readyz", "/healthz", "/metrics", "/nowhere"].map((path) => get(path)),
    { ...get("/livez"), method: "HEAD" },
    manage("GET", "/organizations"),
    manage("GET", proxy.managementPath.replace("/inference", "")),
    manage("GET", proxy.managementPath.replace("/inference", "/members")),
    manage("POST", proxy.managementPath.replace("/inference", "/members"), {
      user: "ann",
      role: "member",
    }),
    here("GET", "/providers"),
    here("PUT", "/providers", {
      provider: "groq",
      api_key: "gsk-fuzz",
      base_url: "https://api.groq.com/openai/v1",
    }),
    here("DELETE", "/providers/nobody"),
    here("GET", "/keys"),
    here("POST", "/keys", { name: "fuzz", monthly_token_limit: 0, rate_limit_rpm: 60 }),
    here("PATCH", `/keys/${UUID}`, { name: "x", status: "suspended" }),
    here("DELETE", `/keys/${UUID}`),
    here("GET", "/settings"),
    here("PUT", "/settings", { monthly_cost_limit_cents: 100_000_000, eu_only: false }),
    here("GET", "/usage?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z&group_by=key"),
    here("GET", `/calls/${UUID}`),
    here("GET", "/prices"),
    here("PUT", "/prices", { provider: "openai", model: "x" }),
  ];
}
