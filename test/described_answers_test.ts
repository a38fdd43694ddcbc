import { describe, expect, test } from "bun:test";
import { ERRORS } from "../src/domain/errors.ts";
import { PROVIDER_IDS } from "../src/domain/provider.ts";
import { MANAGEMENT_ERRORS } from "../src/management_plane/error_response.ts";
import { GROUPS } from "../src/management_plane/openapi/groups.ts";
import { CHAT, chunk, DataPlane, until } from "./support/data_plane.ts";
import { DOCUMENT, type FittingAnswer, fitting, type GivenAnswer } from "./support/described.ts";
import { Walk } from "./support/walk.ts";

/** Codes that no walk meets, and where else their answers are held against the document. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  internal_error: "nobody knows how to provoke it",
  overloaded: "test/data_plane/errors_test.ts breaks the database",
  changed_meanwhile: "test/management_plane/ lets two save at once",
  test_under_way: "test/management_plane/provider_test_test.ts has one under way",
  too_many_prices: "test/management_plane/prices_test.ts sets a thousand",
};

const ORG = "/organizations/{org}";
const INFERENCE = `${ORG}/inference`;
const V1 = "/inference/v1";
const NOWHERE = "019ecb27-2200-7440-b544-0000000000ff";
const PASSWORD = "a long enough one";

/** Walks through the management plane, everything right. */
async function manage(walk: Walk): Promise<void> {
  await walk.expect("GET /organizations", 200);
  await walk.expect("GET /organizations/", 200);
  await walk.expect(`GET ${ORG}`, 200);
  const sam = { user: "sam", role: "member", password: PASSWORD };
  const member: { user_id: string } = await walk.expect(`POST ${ORG}/members`, 201, { body: sam });
  await walk.expect(`GET ${ORG}/members`, 200);
  await walk.expect(`POST ${ORG}/members`, "already_member", {
    body: { user: "sam", role: "member" },
  });
  const asSam = { as: { user: "sam", password: PASSWORD } };
  await walk.expect(`GET ${ORG}/members`, "forbidden", asSam);
  await walk.expect(`DELETE ${ORG}/members/${member.user_id}`, 204);
  await walk.expect(`DELETE ${ORG}/members/${member.user_id}`, "member_not_found");
  await walk.expect(`GET ${ORG}`, "organization_not_found", asSam);
  await walk.expect(`GET ${INFERENCE}/providers`, 200);
  const created: { key: { id: string } } = await walk.expect(`POST ${INFERENCE}/keys`, 201, {
    body: { name: "walk", monthly_token_limit: 1000 },
  });
  const key = `${INFERENCE}/keys/${created.key.id}`;
  await walk.expect(`PATCH ${key}`, 200, { body: { status: "suspended" } });
  await walk.expect(`GET ${INFERENCE}/keys`, 200);
  await walk.expect(`DELETE ${key}`, 204);
  await walk.expect(`PATCH ${key}`, "key_revoked", { body: { name: "other" } });
  for (const method of ["PATCH", "DELETE"]) {
    const body = method === "PATCH" ? { body: {} } : {};
    await walk.expect(`${method} ${INFERENCE}/keys/${NOWHERE}`, "inference_key_not_found", body);
  }
  await walk.expect(`PUT ${INFERENCE}/settings`, 200, { body: { eu_only: false } });
  await walk.expect(`GET ${INFERENCE}/settings`, 200);
  await walk.expect(`GET ${INFERENCE}/audit`, 200);
}

/** Walks through the configuration of providers and prices, right and wrong. */
async function configure(walk: Walk): Promise<void> {
  const put = (expected: number | string, body: object) =>
    walk.expect(`PUT ${INFERENCE}/providers`, expected, { body });
  await put(200, { provider: "groq", api_key: "gsk-walk" });
  await walk.expect(`POST ${INFERENCE}/providers/mistral/test`, 200);
  await put("unknown_provider", { provider: "other" });
  await put("base_url_refused", { provider: "groq", base_url: "https://elsewhere.example" });
  await put("base_url_required", { provider: "groq", eu_endpoint: true });
  await walk.expect(`DELETE ${INFERENCE}/providers/groq`, 204);
  await walk.expect(`DELETE ${INFERENCE}/providers/groq`, "provider_config_not_found");
  await walk.expect(`POST ${INFERENCE}/providers/groq/test`, "provider_config_not_found");
  await put("api_key_required", { provider: "groq" });
  const price = (expected: number | string, body: object) =>
    walk.expect(`PUT ${INFERENCE}/prices`, expected, { body });
  await price(200, { model: "azure_openai/prod/one", alias_of: "openai/gpt-4o" });
  await price(200, {
    model: "openai/dear",
    input_microcents_per_million_tokens: 1e12,
    output_microcents_per_million_tokens: 1e12,
  });
  await price("alias_unpriced", { model: "azure_openai/x", alias_of: "openai/unheard-of" });
  await walk.expect(`GET ${INFERENCE}/prices`, 200);
  await walk.expect(`DELETE ${INFERENCE}/prices/azure_openai/prod%2Fone`, 204);
  await walk.expect(`DELETE ${INFERENCE}/prices/azure_openai/prod%2Fone`, "price_not_found");
}

/** Meets the refusals that every route of the management plane has. */
async function offend(walk: Walk): Promise<void> {
  const list = `GET ${INFERENCE}/keys`;
  const create = `POST ${INFERENCE}/keys`;
  await walk.expect(list, "unauthorized", { as: "nobody" });
  await walk.expect(list, "invalid_request", { headers: { "x-active-org-id": NOWHERE } });
  await walk.expect(list, "unknown_host", { headers: { host: "elsewhere.example" } });
  await walk.expect(create, "invalid_request", { body: { name: "" } });
  await walk.expect(create, "cross_site_request", { headers: { "sec-fetch-site": "cross-site" } });
  await walk.expect(create, "request_too_large", { body: { name: "x".repeat(70_000) } });
  await walk.expect(create, "unsupported_media_type", {
    body: "name=x",
    headers: { "content-type": "text/plain" },
  });
  await walk.expect(`GET ${INFERENCE}/usage?group_by=month`, "invalid_request");
  await walk.expect(`GET ${INFERENCE}/nothing`, "unknown_url");
  await walk.expect("GET /operator/status", "unknown_url");
  await walk.expect(`DELETE ${INFERENCE}/keys`, "method_not_allowed");
  for (let failures = 0; failures < 5; failures += 1) {
    await walk.ask(list, { as: { user: "guesser", password: "wrong" } });
  }
  await walk.expect(list, "too_many_attempts", { as: { user: "guesser", password: "wrong" } });
}

/** Walks through what is served on the control socket. */
async function operate(walk: Walk): Promise<void> {
  const as = "operator";
  await walk.expect("GET /operator/status", 200, { as });
  await walk.expect("GET /operator/checks", 200, { as });
  await walk.expect("GET /operator/audit", 200, { as });
  await walk.expect("GET /organizations", 200, { as });
  const body = { name: "Other", slug: "other" };
  await walk.expect("POST /operator/organizations", 201, { as, body });
  await walk.expect("POST /operator/organizations", "slug_taken", { as, body });
  const user = { name: "kim", password: PASSWORD };
  const { id }: { id: string } = await walk.expect("POST /operator/users", 201, { as, body: user });
  await walk.expect("POST /operator/users", "name_taken", { as, body: user });
  const password = { as, body: { password: PASSWORD } } as const;
  await walk.expect(`PUT /operator/users/${id}/password`, 204, password);
  await walk.expect(`PUT /operator/users/${NOWHERE}/password`, "user_not_found", password);
  await walk.expect(`POST /operator/users/${id}/unlock`, 204, { as });
  await walk.expect(`POST /operator/users/${NOWHERE}/unlock`, "user_not_found", { as });
  await walk.expect(`DELETE /operator/users/${id}`, 204, { as });
  await walk.expect(`DELETE /operator/users/${id}`, "user_not_found", { as });
  const listed: { users: { id: string }[] } = await walk.expect("GET /operator/users", 200, { as });
  const [owner] = listed.users.filter((one) => JSON.stringify(one).includes('"owner"'));
  await walk.expect(`DELETE /operator/users/${owner?.id}`, "last_owner", { as });
  await walk.expect(`DELETE ${ORG}/members/${owner?.id}`, "last_owner");
}

/** Replaces the master key. */
async function rotate(walk: Walk): Promise<void> {
  const as = "operator";
  const key = () => ({ new_key: crypto.getRandomValues(new Uint8Array(32)).toBase64() });
  const begin = "POST /operator/master-key/rotation";
  await walk.expect("GET /operator/master-key", 200, { as });
  await walk.expect(begin, 202, { as, body: key() });
  await walk.expect(begin, "rotation_unfinished", { as, body: key() });
  await walk.expect(`${begin}/finish`, 200, { as });
}

/** Finds an organization without settings, and gives it some. */
async function begin(walk: Walk, proxy: DataPlane): Promise<void> {
  const as = { key: proxy.key.secret };
  await walk.expect(`GET ${INFERENCE}/settings`, "settings_not_configured");
  await walk.expect(`POST ${V1}/chat/completions`, "settings_not_configured", { as, body: CHAT });
  await walk.expect(`PUT ${INFERENCE}/settings`, 200, {
    body: { monthly_cost_limit_cents: 100_000_000 },
  });
}

/** Has every provider answer in every way that it can. */
async function call(walk: Walk, proxy: DataPlane): Promise<void> {
  const as = { key: proxy.key.secret };
  const tools = [{ type: "function", function: { name: "look", parameters: { type: "object" } } }];
  for (const provider of PROVIDER_IDS) {
    const chat = { ...CHAT, model: `${provider}/gpt-4o-mini` };
    for (const stream of [false, true]) {
      for (const changes of [
        {},
        { tools, tool_choice: "required" },
        ...(stream ? [{ stream_options: { include_usage: true } }] : []),
      ]) {
        await walk.expect(`POST ${V1}/chat/completions`, 200, {
          as,
          body: { ...chat, stream, ...changes },
        });
      }
    }
    const embeds = provider !== "anthropic" && provider !== "groq";
    for (const encoding_format of embeds ? ["float", "base64"] : []) {
      const model = `${provider}/text-embedding-3-small`;
      await walk.expect(`POST ${V1}/embeddings`, 200, {
        as,
        body: { model, input: "hello", encoding_format },
      });
    }
    await walk.expect(`GET ${V1}/models/${provider}/gpt-4o-mini`, 200, { as });
  }
  await walk.expect(`GET ${V1}/models`, 200, { as });
}

/** Sees what came of the calls. */
async function account(walk: Walk, proxy: DataPlane): Promise<void> {
  proxy.clock.advance(1);
  for (const group of ["model", "key", "provider", "hour", "day"]) {
    await walk.expect(`GET ${INFERENCE}/usage?group_by=${group}`, 200);
  }
  const calls = await proxy.calls();
  for (const { id } of calls.slice(0, 5)) await walk.expect(`GET ${INFERENCE}/calls/${id}`, 200);
  await walk.expect(`GET ${INFERENCE}/calls/${NOWHERE}`, "call_not_found");
}

/** Meets the refusals of the data plane. */
async function miscall(walk: Walk, proxy: DataPlane): Promise<void> {
  const as = { key: proxy.key.secret };
  const chat = (expected: number | string, changes: object, key = as.key) =>
    walk.expect(`POST ${V1}/chat/completions`, expected, {
      as: { key },
      body: { ...CHAT, ...changes },
    });
  await walk.expect(`GET ${V1}/models`, "invalid_key", { as: "nobody" });
  await chat("invalid_model", { model: "gpt-4o" });
  await chat("invalid_value", { max_tokens: 0 });
  await chat("unsupported_parameter", { model: "mistral/x", logprobs: true });
  await chat("request_too_large", { user: "x".repeat(1_100_000) });
  await chat("upstream_error", { model: "openai/error-500" });
  proxy.standIn.next({ pieces: [chunk({ content: "Hel" })] });
  await chat("upstream_stream_interrupted", { stream: true });
  await walk.expect(`GET ${V1}/models/other/x`, "invalid_model", { as });
  await walk.expect(`GET ${V1}/nothing`, "unknown_url", { as });
  await walk.expect(`GET ${V1}/embeddings`, "method_not_allowed", { as });
  const slow = (await proxy.createKey({ rate_limit_rpm: 1 })).secret;
  await chat(200, {}, slow);
  await chat("rate_limited", {}, slow);
  const small = (await proxy.createKey({ monthly_token_limit: 1 })).secret;
  await chat(200, {}, small);
  await chat("token_ceiling_exceeded", {}, small);
  await time(walk, proxy);
  await proxy.settings({ eu_only: true });
  await chat("eu_residency_unavailable", {});
  await proxy.settings({ eu_only: false });
  await chat("provider_not_configured", { model: "groq/x" });
  await chat(200, { model: "openai/dear" });
  await proxy.settings({ monthly_cost_limit_cents: 1 });
  await chat("cost_circuit_open", {});
  const reset = { body: { reset_circuit: true } };
  await walk.expect(`PUT ${INFERENCE}/settings`, "circuit_still_over", reset);
  await proxy.app.drain();
  await chat("shutting_down", {});
}

/** Lets a provider take too long. */
async function time(walk: Walk, proxy: DataPlane): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  proxy.standIn.next({ until: promise });
  const before = proxy.standIn.count;
  const late = walk.expect(`POST ${V1}/chat/completions`, "upstream_timeout", {
    as: { key: proxy.key.secret },
    body: CHAT,
  });
  await until(() => proxy.standIn.count > before);
  proxy.pass(30_000);
  await late;
  resolve();
}

/** Walks everywhere, and returns every answer. */
async function everywhere(): Promise<readonly FittingAnswer[]> {
  const proxy = await DataPlane.open({
    providers: PROVIDER_IDS,
    costLimitCents: null,
    flags: ["--body-limit-mb", "1", "--upstream-headers-timeout-s", "30"],
  });
  const walk = new Walk(proxy);
  try {
    await begin(walk, proxy);
    await call(walk, proxy);
    await account(walk, proxy);
    await manage(walk);
    await offend(walk);
    await operate(walk);
    await rotate(walk);
    await configure(walk);
    await miscall(walk, proxy);
    return walk.seen;
  } finally {
    await proxy.close();
  }
}

const seen = await everywhere();
const kinds = new Set(seen.map(({ route, status, code }) => `${route} ${code || status}`));
const codes = new Set(seen.map(({ code }) => code));

test("every route was walked, and gave each success that it can", () => {
  const described = Object.entries(DOCUMENT.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { responses }]) =>
      Object.keys(responses)
        .filter((status) => Number(status) < 400)
        .map((status) => `${method.toUpperCase()} ${path} ${status}`),
    ),
  );
  expect(described.length).toBeGreaterThan(30);
  expect(described.filter((kind) => !kinds.has(kind))).toEqual([]);
});

test("every route of the management plane gave each error that is its own", () => {
  const described = GROUPS.flatMap(({ routes }) =>
    Object.entries(routes).flatMap(([route, { errors }]) =>
      errors.filter((code) => ELSEWHERE[code] === undefined).map((code) => `${route} ${code}`),
    ),
  );
  expect(described.length).toBeGreaterThan(20);
  expect(described.filter((kind) => !kinds.has(kind))).toEqual([]);
});

test("every code of both planes was given, but for those that are given elsewhere", () => {
  const all = [...Object.keys(ERRORS), ...Object.keys(MANAGEMENT_ERRORS)];
  const missed = all.filter((code) => !codes.has(code));
  expect([...new Set(missed)].sort()).toEqual(Object.keys(ELSEWHERE).sort());
});

describe("what differs from its description is noticed:", () => {
  const MODEL = { id: "openai/x", object: "model", created: 1, owned_by: "openai" };
  const ERROR = { message: "Cannot", type: "server_error", param: null, code: "invalid_key" };
  const given = (body: unknown, changes: Partial<GivenAnswer> = {}): GivenAnswer => ({
    method: "GET",
    path: `${V1}/models/openai/x`,
    status: 200,
    headers: new Headers({ "content-type": "application/json", "x-request-id": "1" }),
    text: JSON.stringify(body),
    ...changes,
  });
  const json = (headers: Record<string, string>) =>
    new Headers({ "content-type": "application/json", ...headers });

  test("what fits is none of it", () => {
    expect(fitting(given(MODEL)).status).toBe(200);
    expect(fitting(given({ error: ERROR }, { status: 401 })).code).toBe("invalid_key");
  });

  const OFFENCES: [says: string, answer: GivenAnswer][] = [
    ['undeclared "more"', given({ ...MODEL, more: 1 })],
    ['no "owned_by"', given({ ...MODEL, owned_by: undefined })],
    ["is none of the words", given({ ...MODEL, owned_by: "other" })],
    ["string instead of integer", given({ ...MODEL, created: "1" })],
    ["number instead of integer", given({ ...MODEL, created: 1.5 })],
    ['"models" is not "model"', given({ ...MODEL, object: "models" })],
    ["null instead of object", given(null)],
    ["no JSON", given("", { text: "{" })],
    ["status 201 is not described", given(MODEL, { status: 201 })],
    ["status 418", given({ error: ERROR }, { status: 418 })],
    ['code "invalid_key" is not described', given({ error: ERROR }, { status: 412 })],
    ['undeclared "hint"', given({ error: { ...ERROR, hint: "" } }, { status: 401 })],
    ['type "text/plain"', given(MODEL, { headers: new Headers({ "content-type": "text/plain" }) })],
    ['header "x-new"', given(MODEL, { headers: json({ "x-new": "1" }) })],
    ['header "retry-after"', given(MODEL, { headers: json({ "retry-after": "1" }) })],
    [
      "there is a body",
      given({}, { method: "DELETE", path: `/organizations/1/members/2`, status: 204 }),
    ],
    [
      "does not fit",
      given(
        { user_id: "7", user: "sam", role: "owner", created_at: "yesterday" },
        { method: "POST", path: "/organizations/1/members", status: 201 },
      ),
    ],
    [
      "answers 500",
      given({ error: "Cannot", code: "internal_error" }, { path: "/x", status: 500 }),
    ],
    [
      '$.choices[0].delta: undeclared "text"',
      given(null, {
        method: "POST",
        path: `${V1}/chat/completions`,
        headers: new Headers({ "content-type": "text/event-stream" }),
        text: chunk({ text: "Hel" }),
      }),
    ],
  ];
  test.each(OFFENCES)("%s", (says, answer) => expect(() => fitting(answer)).toThrow(says));
});
