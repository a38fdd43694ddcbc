import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProviderId } from "../../src/domain/provider.ts";
import {
  CHAT,
  chunk,
  EventReader,
  lastChunks,
  PROVIDER_KEY,
  proxyForTests,
  withProxy,
} from "../support/data_plane.ts";
import { connectRaw } from "../support/raw_http.ts";

const proxy = await proxyForTests();
const STREAM = { ...CHAT, stream: true };

test.each(["revoked", "suspended"])("a key that is %s fails on the next call", async (end) => {
  const key = await proxy.createKey();
  expect((await proxy.call(CHAT, { key })).status).toBe(200);
  const before = proxy.standIn.count;
  if (end === "revoked") await proxy.manage("DELETE", `/keys/${key.id}`);
  else await proxy.manage("PATCH", `/keys/${key.id}`, { status: "suspended" });
  expect((await proxy.call(CHAT, { key })).status).toBe(401);
  expect((await proxy.call(STREAM, { key })).status).toBe(401);
  const models = await proxy.call("", { key, path: "/models", method: "GET" });
  expect(models.status).toBe(401);
  expect(proxy.standIn.count).toBe(before);
  await proxy.restart();
  expect((await proxy.call(CHAT, { key })).status).toBe(401);
});

test("a suspended key works again when it is made active", async () => {
  const key = await proxy.createKey();
  await proxy.manage("PATCH", `/keys/${key.id}`, { status: "suspended" });
  expect((await proxy.call(CHAT, { key })).status).toBe(401);
  await proxy.manage("PATCH", `/keys/${key.id}`, { status: "active" });
  expect((await proxy.call(CHAT, { key })).status).toBe(200);
});

test.each(["revoked", "suspended"])(
  "a key that is %s while its request is being sent is not admitted",
  async (end) => {
    const key = await proxy.createKey();
    const before = proxy.standIn.count;
    const connection = await connectRaw(proxy.url);
    const body = JSON.stringify(CHAT);
    connection.socket.write(
      `POST /inference/v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key.secret}\r\n` +
        `content-length: ${body.length}\r\n\r\n{`,
    );
    // Answered on another connection, so the first one has been taken up, its key found good.
    await proxy.call("", { path: "/models", method: "GET" });
    if (end === "revoked") await proxy.manage("DELETE", `/keys/${key.id}`);
    else await proxy.manage("PATCH", `/keys/${key.id}`, { status: "suspended" });
    connection.socket.write(body.slice(1));
    expect(await connection.until(/invalid_key/)).toStartWith("HTTP/1.1 401");
    connection.socket.destroy();
    expect(proxy.standIn.count).toBe(before);
    expect(await proxy.calls(key)).toEqual([]);
  },
);

test("a call in flight goes on when its key is revoked", async () => {
  const key = await proxy.createKey();
  const { promise, resolve: release } = Promise.withResolvers<void>();
  proxy.standIn.next({
    pieces: (async function* () {
      yield chunk({ content: "one" });
      await promise;
      yield lastChunks(5, 1);
    })(),
  });
  const reader = new EventReader(await proxy.send(STREAM, { key }));
  await reader.next();
  await proxy.manage("DELETE", `/keys/${key.id}`);
  release();
  expect((await reader.rest()).at(-1)).toBe("[DONE]");
  expect(await proxy.calls(key)).toMatchObject([{ ending: "completed", input_tokens: 5 }]);
});

interface Presented {
  readonly how: string;
  readonly headers: (secret: string) => Record<string, string>;
  readonly status: number;
}

const NOT_A_KEY = `fdb-inf-${"A".repeat(49)}`;

const PRESENTED: readonly Presented[] = [
  { how: "as a bearer", headers: (key) => ({ authorization: `Bearer ${key}` }), status: 200 },
  {
    how: "as a bearer in small letters",
    headers: (key) => ({ authorization: `bearer ${key}` }),
    status: 200,
  },
  {
    how: "as x-api-key",
    headers: (key) => ({ authorization: "", "x-api-key": key }),
    status: 200,
  },
  { how: "as api-key", headers: (key) => ({ authorization: "", "api-key": key }), status: 200 },
  {
    how: "three times over",
    headers: (key) => ({ authorization: `Bearer ${key}`, "x-api-key": key, "api-key": key }),
    status: 200,
  },
  {
    how: "beside basic auth",
    headers: (key) => ({ authorization: "Basic YTpi", "x-api-key": key }),
    status: 200,
  },
  {
    how: "beside another key",
    headers: (key) => ({ authorization: `Bearer ${key}`, "x-api-key": NOT_A_KEY }),
    status: 401,
  },
  {
    how: "beside an empty key",
    headers: (key) => ({ authorization: `Bearer ${key}`, "api-key": "" }),
    status: 401,
  },
  {
    how: "as the password of basic auth",
    headers: (key) => ({ authorization: `Basic ${btoa(`:${key}`)}` }),
    status: 401,
  },
  { how: "without a scheme", headers: (key) => ({ authorization: key }), status: 401 },
  {
    how: "with something behind it",
    headers: (key) => ({ authorization: `Bearer ${key} x` }),
    status: 401,
  },
  {
    how: "in a cookie",
    headers: (key) => ({ authorization: "", cookie: `key=${key}` }),
    status: 401,
  },
  {
    how: "with another last character",
    headers: (key) => ({
      authorization: `Bearer ${key.slice(0, -1)}${key.endsWith("a") ? "b" : "a"}`,
    }),
    status: 401,
  },
  {
    how: "in other letters",
    headers: (key) => ({ authorization: `Bearer ${key.toUpperCase()}` }),
    status: 401,
  },
];

test.each(PRESENTED)("a key presented $how: $status", async ({ headers, status }) => {
  const before = proxy.standIn.count;
  const answer = await proxy.call(CHAT, { headers: headers(proxy.key.secret) });
  expect(answer.status).toBe(status);
  expect(proxy.standIn.count).toBe(before + (status === 200 ? 1 : 0));
  expect(answer.text).not.toContain(proxy.key.secret);
});

test("a key in the query is none, and is not logged", async () => {
  const path = `/chat/completions?api-key=${proxy.key.secret}`;
  const answer = await proxy.call(CHAT, { path, headers: { authorization: "" } });
  expect(answer.status).toBe(401);
  expect(proxy.logged).not.toContain(proxy.key.secret);
});

test("an inference key opens nothing of the management plane, and a password no call", async () => {
  const path = `${proxy.url}/organizations/${proxy.organizationId}/inference/keys`;
  for (const authorization of [
    `Bearer ${proxy.key.secret}`,
    `Basic ${btoa(`admin:${proxy.key.secret}`)}`,
    `Basic ${btoa(`${proxy.key.secret}:`)}`,
  ]) {
    expect((await fetch(path, { headers: { authorization } })).status).toBe(401);
  }
  const password = `Basic ${btoa("admin:correct-horse-battery")}`;
  expect((await proxy.call(CHAT, { headers: { authorization: password } })).status).toBe(401);
});

test("a provider key is sent to its provider and stands nowhere else in clear", () =>
  withProxy({ providers: ["openai", "azure_openai"] }, async (other) => {
    const answers = [
      await other.call(),
      await other.call(STREAM),
      await other.call({ ...CHAT, model: "azure_openai/my-deployment" }),
      await other.call("", { path: "/models", method: "GET" }),
    ];
    const [openai, , azure] = other.standIn.requests;
    expect(openai?.headers["authorization"]).toBe(`Bearer ${PROVIDER_KEY}`);
    expect(openai?.headers["api-key"]).toBeUndefined();
    expect(azure?.headers["api-key"]).toBe(PROVIDER_KEY);
    expect(azure?.headers["authorization"]).toBeUndefined();
    for (const { text, headers } of answers) {
      expect(text + JSON.stringify([...headers])).not.toContain(PROVIDER_KEY);
    }
    const listed = await other.manage("GET", "/providers");
    expect(JSON.stringify(listed)).not.toContain(PROVIDER_KEY.slice(0, 12));
    expect(other.logged).not.toContain(PROVIDER_KEY);
    const file = join(other.dataDir, "inference-proxy.db");
    for (const path of [file, `${file}-wal`]) {
      const bytes = readFileSync(path);
      expect(bytes.length).toBeGreaterThan(0);
      for (const text of [PROVIDER_KEY, btoa(PROVIDER_KEY), other.key.secret]) {
        expect(bytes.includes(text)).toBe(false);
      }
    }
  }));

test("a stored provider key is never pointed at another host", () =>
  withProxy({}, async (other) => {
    const moved = `${other.standIn.url}/elsewhere`;
    const refused = await other.manage("PUT", "/providers", {
      provider: "openai",
      base_url: moved,
    });
    expect(refused.status).toBe(400);
    await other.call();
    expect(other.standIn.requests.at(-1)?.path).toBe("/v1/chat/completions");
    await other.configure("openai", { base_url: moved, api_key: "sk-another-key-1234567890" });
    await other.call();
    expect(other.standIn.requests.at(-1)).toMatchObject({ path: "/elsewhere/chat/completions" });
    expect(other.standIn.requests.at(-1)?.headers["authorization"]).toBe(
      "Bearer sk-another-key-1234567890",
    );
  }));

test("a new provider key holds for the next call", () =>
  withProxy({}, async (other) => {
    await other.call();
    await other.configure("openai", { api_key: "sk-another-key-1234567890" });
    await other.call();
    const sent = other.standIn.requests.map(({ headers }) => headers["authorization"]);
    expect(sent).toEqual([`Bearer ${PROVIDER_KEY}`, "Bearer sk-another-key-1234567890"]);
  }));

test.each(["disabled", "deleted"])(
  "a provider that is %s while a call runs: the call goes on, the next is refused",
  (end) =>
    withProxy({}, async (other) => {
      const { promise, resolve: release } = Promise.withResolvers<void>();
      other.standIn.next({
        pieces: (async function* () {
          yield chunk({ content: "one" });
          await promise;
          yield lastChunks(5, 1);
        })(),
      });
      const reader = new EventReader(await other.send(STREAM));
      await reader.next();
      if (end === "disabled") await other.configure("openai", { enabled: false });
      else await other.manage("DELETE", "/providers/openai");
      const refused = await other.call();
      expect(refused.status).toBe(412);
      expect(refused.json.error.code).toBe("provider_not_configured");
      release();
      expect((await reader.rest()).at(-1)).toBe("[DONE]");
      expect(other.standIn.count).toBe(1);
      await other.configure("openai");
      expect((await other.call()).status).toBe(200);
    }),
);

test("a provider whose host the operator no longer allows is refused, its key stays at home", () =>
  withProxy({}, async (other) => {
    await other.call();
    await other.restart({ flags: ["--allow-upstream", "127.0.0.1:1"] });
    const answer = await other.call();
    expect(answer.status).toBe(412);
    expect(answer.json.error.code).toBe("provider_not_configured");
    expect(other.standIn.count).toBe(1);
    expect(other.logged).toContain("cannot use provider config");
    expect(other.logged).not.toContain(PROVIDER_KEY);
  }));

const RESIDENCY: readonly {
  readonly provider: ProviderId;
  readonly model: string;
  readonly attested: boolean;
}[] = [
  { provider: "openai", model: "openai/gpt-4o-mini", attested: false },
  { provider: "groq", model: "groq/llama-3.1-8b-instant", attested: false },
  { provider: "anthropic", model: "anthropic/claude-sonnet-4-5", attested: false },
  { provider: "azure_openai", model: "azure_openai/my-deployment", attested: false },
  { provider: "mistral", model: "mistral/mistral-small-latest", attested: false },
  { provider: "openai", model: "openai/gpt-4o-mini", attested: true },
  { provider: "groq", model: "groq/llama-3.1-8b-instant", attested: true },
  { provider: "azure_openai", model: "azure_openai/my-deployment", attested: true },
  { provider: "mistral", model: "mistral/mistral-small-latest", attested: true },
];

test("eu_only: an own base URL is reached if it is attested, else nothing leaves", () =>
  withProxy({ providers: [] }, async (other) => {
    await other.settings({ eu_only: true });
    for (const { provider, model, attested } of RESIDENCY) {
      await other.configure(provider, { eu_endpoint: attested });
      const before = other.standIn.count;
      for (const stream of [false, true]) {
        const answer = await other.call({ ...CHAT, model, stream });
        expect([provider, attested, answer.status]).toEqual([
          provider,
          attested,
          attested ? 200 : 403,
        ]);
      }
      expect(other.standIn.count).toBe(before + (attested ? 2 : 0));
    }
  }));

test("eu_only holds for the next call, and so does its end", async () => {
  await proxy.settings({ eu_only: true });
  expect((await proxy.call()).status).toBe(403);
  await proxy.settings({ eu_only: false });
  expect((await proxy.call()).status).toBe(200);
});
