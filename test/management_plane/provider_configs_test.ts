import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { ProviderId } from "../../src/domain/provider.ts";
import { NEW_ID, NEW_KEY } from "../support/master_keys.ts";
import { type Answer, openPlane, type TestPlane } from "../support/management_plane.ts";
import { ACT } from "../support/store.ts";

const PATH = "/organizations/{org}/inference/providers";
const GATEWAY = "http://127.0.0.1:9000/v1";
const AZURE = "https://my-resource.openai.azure.com";

let plane: TestPlane;
beforeEach(async () => {
  plane = await openPlane(["127.0.0.1:9000"]);
});
afterEach(() => plane.database.close());

const put = (body: unknown): Promise<Answer> => plane.ask({ method: "PUT", path: PATH, body });

function stored(provider: ProviderId) {
  return plane.db
    .selectFrom("provider_configs")
    .selectAll()
    .where("provider", "=", provider)
    .executeTakeFirst();
}

/** Opens the stored provider key as the data plane would. */
async function storedKey(provider: ProviderId): Promise<string> {
  const row = await stored(provider);
  if (row === undefined) return "none";
  const owner = { organizationId: row.organization_id, provider, configId: row.id };
  return (await plane.vault.openProviderKey(row.sealed_key, owner)).reveal();
}

describe("PUT providers", () => {
  test("creates a config, seals its key, and tells the live state", async () => {
    plane.live.told.length = 0;
    const answer = await put({ provider: "openai", api_key: "sk-1" });
    const row = await stored("openai");
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.json).toEqual({
      id: row?.id,
      provider: "openai",
      eu_endpoint: false,
      enabled: true,
      has_api_key: true,
      eu_resident: false,
      created_at: "2026-06-15T12:00:00Z",
      updated_at: "2026-06-15T12:00:00Z",
    });
    expect(await storedKey("openai")).toBe("sk-1");
    expect(plane.live.told).toEqual([`organization ${plane.organizationId}`]);
    expect((await plane.ask({ path: PATH })).json).toEqual({ providers: [answer.json] });
  });

  test("keeps the stored key when none is given, and the row when one is", async () => {
    const first = await put({ provider: "openai", api_key: "sk-1" });
    plane.clock.advance(60_000);
    const kept = await put({ provider: "openai", api_key: "", enabled: false });
    expect(kept.json).toMatchObject({ enabled: false, updated_at: "2026-06-15T12:01:00Z" });
    expect(kept.json["id"]).toBe(first.json["id"]);
    expect(await storedKey("openai")).toBe("sk-1");
    const replaced = await put({ provider: "openai", api_key: "sk-2" });
    expect(replaced.json).toMatchObject({ enabled: true, created_at: "2026-06-15T12:00:00Z" });
    expect(replaced.json["id"]).toBe(first.json["id"]);
    expect(await storedKey("openai")).toBe("sk-2");
  });

  test("takes what published clients send", async () => {
    const body = { provider: "mistral", api_key: "k", eu_endpoint: false, service_id: null };
    expect((await put(body)).status).toBe(200);
    const nulls = { base_url: null, enabled: null, eu_endpoint: null, api_key: null };
    expect((await put({ provider: "mistral", ...nulls })).status).toBe(200);
  });

  const BAD: [name: string, body: object, code: string][] = [
    ["an unknown provider", { provider: "acme", api_key: "k" }, "unknown_provider"],
    ["a property of every object", { provider: "toString", api_key: "k" }, "unknown_provider"],
    ["no key the first time", { provider: "openai" }, "api_key_required"],
    ["an empty key the first time", { provider: "openai", api_key: "" }, "api_key_required"],
    ["a key with a space", { provider: "openai", api_key: "sk 1" }, "invalid_request"],
    ["a key with a line end", { provider: "openai", api_key: "sk\n" }, "invalid_request"],
    ["a key beyond ASCII", { provider: "openai", api_key: "sk\u{e9}" }, "invalid_request"],
    ["a key too long", { provider: "openai", api_key: "k".repeat(4097) }, "invalid_request"],
    ["an unknown field", { provider: "openai", api_key: "k", id: "x" }, "invalid_request"],
    [
      "a read-only field",
      { provider: "openai", api_key: "k", eu_resident: true },
      "invalid_request",
    ],
    ["an empty base URL", { provider: "openai", api_key: "k", base_url: "" }, "base_url_refused"],
    [
      "a foreign host",
      { provider: "openai", api_key: "k", base_url: "https://evil.example" },
      "base_url_refused",
    ],
    [
      "another provider's host",
      { provider: "openai", api_key: "k", base_url: "https://api.groq.com/openai/v1" },
      "base_url_refused",
    ],
    [
      "plain http",
      { provider: "openai", api_key: "k", base_url: "http://api.openai.com/v1" },
      "base_url_refused",
    ],
    [
      "a metadata address",
      { provider: "openai", api_key: "k", base_url: "http://169.254.169.254" },
      "base_url_refused",
    ],
    [
      "a query",
      { provider: "openai", api_key: "k", base_url: "https://api.openai.com/v1?api-version=1" },
      "base_url_refused",
    ],
    [
      "a resource provider without its resource",
      { provider: "azure_openai", api_key: "k" },
      "base_url_required",
    ],
    [
      "a resource provider without its resource but attested",
      { provider: "azure_openai", api_key: "k", eu_endpoint: true },
      "base_url_required",
    ],
    [
      "openai attested on its default route",
      { provider: "openai", api_key: "k", eu_endpoint: true },
      "base_url_required",
    ],
    [
      "anthropic attested on its default route",
      { provider: "anthropic", api_key: "k", eu_endpoint: true },
      "base_url_required",
    ],
    [
      "groq attested on its default route",
      { provider: "groq", api_key: "k", eu_endpoint: true },
      "base_url_required",
    ],
  ];
  test.each(BAD)("refuses %s", async (_, body, code) => {
    const answer = await put(body);
    expect(answer).toMatchObject({ status: 400, json: { code } });
    expect(await plane.db.selectFrom("provider_configs").selectAll().execute()).toEqual([]);
  });

  const RESIDENT: [body: Record<string, unknown>, euResident: boolean][] = [
    [{ provider: "mistral" }, true],
    [{ provider: "mistral", eu_endpoint: true }, true],
    [{ provider: "mistral", base_url: GATEWAY }, false],
    [{ provider: "mistral", base_url: GATEWAY, eu_endpoint: true }, true],
    [{ provider: "openai", base_url: "https://eu.api.openai.com/v1" }, false],
    [{ provider: "openai", base_url: "https://eu.api.openai.com/v1", eu_endpoint: true }, true],
    [{ provider: "anthropic" }, false],
    [{ provider: "groq" }, false],
    [{ provider: "azure_openai", base_url: AZURE }, false],
    [{ provider: "azure_openai", base_url: AZURE, eu_endpoint: true }, true],
    [{ provider: "azure_openai", base_url: `${AZURE}/?api-version=2024-10-21` }, false],
  ];
  test.each(RESIDENT)("%p is EU-resident: %p", async (body, euResident) => {
    const answer = await put({ ...body, api_key: "k" });
    expect(answer).toMatchObject({ status: 200, json: { eu_resident: euResident } });
    const list = await plane.ask({ path: PATH });
    expect(list.json).toEqual({ providers: [answer.json] });
  });

  test("writes a base URL in one spelling", async () => {
    const answer = await put({
      provider: "azure_openai",
      api_key: "k",
      base_url: `${AZURE.toUpperCase().replace("HTTPS", "https")}/`,
    });
    expect(answer.json["base_url"]).toBe(AZURE);
  });
});

describe("a stored key is never sent elsewhere", () => {
  const MOVES: [from: string | null, to: string | null][] = [
    [null, GATEWAY],
    [GATEWAY, null],
    [GATEWAY, "http://127.0.0.1:9000/v2"],
    ["https://api.openai.com/v1", null],
    [null, "https://api.openai.com/v1"],
  ];
  test.each(MOVES)("from %p to %p takes the key again", async (from, to) => {
    await put({ provider: "openai", api_key: "sk-1", base_url: from });
    const before = await stored("openai");
    for (const apiKey of [{}, { api_key: "" }, { api_key: null }]) {
      const refused = await put({ provider: "openai", base_url: to, enabled: false, ...apiKey });
      expect(refused).toMatchObject({ status: 400, json: { code: "api_key_required" } });
    }
    expect(await stored("openai")).toEqual(before);
    expect((await put({ provider: "openai", base_url: to, api_key: "sk-2" })).status).toBe(200);
    expect(await storedKey("openai")).toBe("sk-2");
  });

  test("the same place in another spelling is the same place", async () => {
    await put({ provider: "openai", api_key: "sk-1", base_url: GATEWAY });
    expect((await put({ provider: "openai", base_url: `${GATEWAY}/` })).status).toBe(200);
    expect(await storedKey("openai")).toBe("sk-1");
  });

  test("a member cannot point it anywhere, with or without a key", async () => {
    await put({ provider: "openai", api_key: "sk-1" });
    const body = { provider: "openai", base_url: GATEWAY, api_key: "sk-2" };
    expect((await plane.ask({ as: "member", method: "PUT", path: PATH, body })).status).toBe(403);
    expect(await storedKey("openai")).toBe("sk-1");
  });

  const MEANWHILE: [name: string, change: () => Promise<unknown>][] = [
    ["moved", () => plane.db.updateTable("provider_configs").set({ base_url: GATEWAY }).execute()],
    ["deleted", () => plane.db.deleteFrom("provider_configs").execute()],
  ];
  test.each(MEANWHILE)(
    "a config that is %s while a key is sealed is left alone",
    async (_, change) => {
      await put({ provider: "openai", api_key: "sk-1" });
      const seal = plane.vault.sealProviderKey.bind(plane.vault);
      let meanwhile: unknown;
      plane.vault.sealProviderKey = async (text, owner) => {
        await change();
        meanwhile = await stored("openai");
        return seal(text, owner);
      };
      const answer = await put({ provider: "openai", api_key: "sk-2" });
      expect(answer).toMatchObject({ status: 409, json: { code: "changed_meanwhile" } });
      expect(await stored("openai")).toEqual(meanwhile as Awaited<ReturnType<typeof stored>>);
    },
  );
});

describe("a stored key that nothing opens any more", () => {
  const GONE: [name: string, sealedKey: string][] = [
    ["was discarded", ""],
    ["is damaged", "AAAA"],
    ["was sealed by a master key that is forgotten", ""],
  ];
  test.each(GONE)("is not kept: one that %s must be entered again", async (name, sealedKey) => {
    await put({ provider: "openai", api_key: "sk-1" });
    const { sealed_key: sealed = "" } = (await stored("openai")) ?? {};
    if (name.includes("forgotten")) await forgetMasterKey();
    const kept = name.includes("forgotten") ? sealed : sealedKey;
    await plane.db
      .updateTable("provider_configs")
      .set({ sealed_key: kept, master_key_id: null })
      .execute();
    const refused = await put({ provider: "openai", enabled: false });
    expect(refused).toMatchObject({ status: 400, json: { code: "api_key_required" } });
    expect((await stored("openai"))?.enabled).toBe(1);
    const entered = await put({ provider: "openai", api_key: "sk-2" });
    expect(entered.json).toMatchObject({ has_api_key: true, enabled: true });
    expect(await storedKey("openai")).toBe("sk-2");
  });

  test("is shown as missing once it was discarded", async () => {
    await put({ provider: "openai", api_key: "sk-1" });
    await plane.db.updateTable("provider_configs").set({ sealed_key: "", enabled: 0 }).execute();
    expect((await plane.ask({ path: PATH })).json).toMatchObject({
      providers: [{ provider: "openai", has_api_key: false, enabled: false }],
    });
  });
});

/** Replaces the master key to the end. */
async function forgetMasterKey(): Promise<void> {
  await plane.rotation.begin(NEW_KEY, ACT);
  await plane.rotation.finish(ACT);
}

test("a key that is saved while the master key is replaced is sealed by one that is in use", async () => {
  await put({ provider: "openai", api_key: "sk-1" });
  const changes = Array.from({ length: 20 }, (_, number) =>
    put({ provider: "openai", api_key: `sk-${number}` }),
  );
  const [answers] = await Promise.all([Promise.all(changes), forgetMasterKey()]);
  // One that was sealed just before the old key was forgotten may have to be sent again.
  for (const { status } of answers) expect([200, 409]).toContain(status);
  expect((await stored("openai"))?.master_key_id).toBe(NEW_ID);
  expect(await storedKey("openai")).toStartWith("sk-");
});

describe("DELETE providers/{provider}", () => {
  test("removes the config, and every trace of its sealed key", async () => {
    await put({ provider: "openai", api_key: "sk-1" });
    const sealed = (await stored("openai"))?.sealed_key ?? "";
    const { path } = plane.database;
    const traces = () =>
      [path, `${path}-wal`].filter((file) => readFileSync(file).includes(sealed));
    expect(traces()).not.toEqual([]);
    plane.live.told.length = 0;
    const answer = await plane.ask({ method: "DELETE", path: `${PATH}/openai` });
    expect(answer.status).toBe(204);
    expect(traces()).toEqual([]);
    expect(plane.live.told).toEqual([`organization ${plane.organizationId}`]);
    expect((await plane.ask({ path: PATH })).json).toEqual({ providers: [] });
  });

  test("a key that was replaced leaves no trace either", async () => {
    await put({ provider: "openai", api_key: "sk-1" });
    const sealed = (await stored("openai"))?.sealed_key ?? "";
    await put({ provider: "openai", api_key: "sk-2" });
    const { path } = plane.database;
    for (const file of [path, `${path}-wal`])
      expect(readFileSync(file).includes(sealed)).toBe(false);
  });

  test.each(["openai", "acme", "%6Fpenai", "toString"])(
    "%s that is not there is not found",
    async (provider) => {
      const answer = await plane.ask({ method: "DELETE", path: `${PATH}/${provider}` });
      expect(answer).toMatchObject({ status: 404, json: { code: "provider_config_not_found" } });
    },
  );

  test("it starts over: another id, and a key is required", async () => {
    const first = await put({ provider: "openai", api_key: "sk-1" });
    await plane.ask({ method: "DELETE", path: `${PATH}/openai` });
    expect((await put({ provider: "openai" })).json["code"]).toBe("api_key_required");
    const second = await put({ provider: "openai", api_key: "sk-1" });
    expect(second.json["id"]).not.toBe(first.json["id"]);
  });
});

test("who changed a config is written down, the key is not", async () => {
  await put({ provider: "openai", api_key: "sk-canary" });
  await put({ provider: "openai", enabled: false });
  await plane.ask({ as: "admin", method: "DELETE", path: `${PATH}/openai` });
  const events = await plane.db
    .selectFrom("audit_events")
    .selectAll()
    .where("action", "like", "provider_config.%")
    .orderBy("id")
    .execute();
  expect(events.map((event) => [event.actor, event.action, event.organization_id])).toEqual([
    ["owner", "provider_config.create", plane.organizationId],
    ["owner", "provider_config.replace", plane.organizationId],
    ["admin", "provider_config.delete", plane.organizationId],
  ]);
  expect(JSON.stringify(events)).not.toContain("sk-canary");
});
