import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { hashKey, isWellFormed } from "../../src/domain/inference_key_text.ts";
import { isJsonObject } from "../../src/std/json.ts";
import { type Answer, openPlane, type TestPlane, textIn } from "../support/management_plane.ts";

const PATH = "/organizations/{org}/inference/keys";
const MONTH = 202606;

let plane: TestPlane;
beforeEach(async () => {
  plane = await openPlane();
});
afterEach(() => plane.database.close());

const post = (body: unknown): Promise<Answer> => plane.ask({ method: "POST", path: PATH, body });
const patch = (id: string, body: unknown): Promise<Answer> =>
  plane.ask({ method: "PATCH", path: `${PATH}/${id}`, body });
const revoke = (id: string): Promise<Answer> =>
  plane.ask({ method: "DELETE", path: `${PATH}/${id}` });

async function create(): Promise<string> {
  const { key } = (await post({ name: "app", monthly_token_limit: 1000 })).json;
  return isJsonObject(key) && typeof key["id"] === "string" ? key["id"] : "";
}

function stored(id: string) {
  return plane.db
    .selectFrom("inference_keys")
    .selectAll()
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
}

describe("POST keys", () => {
  test("answers with the key's text once, and stores only its hash", async () => {
    const answer = await post({ name: " app ", monthly_token_limit: 1000 });
    expect(answer.status).toBe(201);
    const text = textIn(answer, "secret");
    expect(isWellFormed(text)).toBe(true);
    const row = await plane.db.selectFrom("inference_keys").selectAll().executeTakeFirstOrThrow();
    expect(row).toMatchObject({ key_hash: hashKey(text), key_prefix: text.slice(0, 12) });
    expect(answer.json).toEqual({
      secret: text,
      activation_note: expect.any(String),
      key: {
        id: row.id,
        name: "app",
        key_prefix: text.slice(0, 12),
        monthly_token_limit: 1000,
        rate_limit_rpm: 60,
        status: "active",
        tokens_used_cycle: 0,
        tokens_held: 0,
        cycle_month: "2026-06-01T00:00:00Z",
        created_at: "2026-06-15T12:00:00Z",
        revoked_at: null,
      },
    });
    expect(plane.live.told).toContain(`key ${row.id}`);
    const list = await plane.ask({ path: PATH });
    expect(list.json).toEqual({ keys: [answer.json["key"] ?? null] });
    expect(list.text).not.toContain(text);
  });

  test("takes limits up to their bounds, and null for the default", async () => {
    const most = { monthly_token_limit: Number.MAX_SAFE_INTEGER, rate_limit_rpm: 100_000 };
    expect((await post({ name: "n", ...most })).json["key"]).toMatchObject(most);
    const nulls = { monthly_token_limit: 1, rate_limit_rpm: null, service_id: null };
    expect((await post({ name: "n", ...nulls })).json["key"]).toMatchObject({ rate_limit_rpm: 60 });
  });

  const BAD: object[] = [
    {},
    { name: "n" },
    { monthly_token_limit: 5 },
    { name: "", monthly_token_limit: 5 },
    { name: "a\nb", monthly_token_limit: 5 },
    { name: "n", monthly_token_limit: 0 },
    { name: "n", monthly_token_limit: -1 },
    { name: "n", monthly_token_limit: 1.5 },
    { name: "n", monthly_token_limit: "5" },
    { name: "n", monthly_token_limit: null },
    { name: "n", monthly_token_limit: 2 ** 53 },
    { name: "n", monthly_token_limit: 5, rate_limit_rpm: 0 },
    { name: "n", monthly_token_limit: 5, rate_limit_rpm: 100_001 },
    { name: "n", monthly_token_limit: 5, status: "active" },
    { name: "n", monthly_token_limit: 5, tokens_used_cycle: 0 },
    { name: "n", monthly_token_limit: 5, service_id: "s" },
  ];
  test.each(BAD)("refuses %p", async (body) => {
    expect(await post(body)).toMatchObject({ status: 400, json: { code: "invalid_request" } });
    expect(await plane.db.selectFrom("inference_keys").selectAll().execute()).toEqual([]);
  });
});

describe("GET keys", () => {
  test("lists keys in the order of their creation, with what they used this month", async () => {
    const first = await create();
    plane.clock.advance(1);
    const second = await create();
    const months = [
      { key_id: second, month: MONTH, used_tokens: 70 },
      { key_id: second, month: MONTH - 1, used_tokens: 999 },
    ];
    // A settlement that was not written yet when the list was asked for.
    plane.live.held.set(first, 1_200);
    plane.live.onFlush = async () => {
      plane.live.onFlush = async () => {};
      await plane.db.insertInto("key_months").values(months).execute();
    };
    const { json } = await plane.ask({ path: PATH });
    expect(json["keys"]).toMatchObject([
      { id: first, tokens_used_cycle: 0, tokens_held: 1_200 },
      { id: second, tokens_used_cycle: 70, tokens_held: 0, cycle_month: "2026-06-01T00:00:00Z" },
    ]);
    plane.clock.advance(30 * 86_400_000);
    const next = await plane.ask({ path: PATH });
    expect(next.json["keys"]).toMatchObject([
      { id: first, cycle_month: "2026-07-01T00:00:00Z" },
      { id: second, tokens_used_cycle: 0, cycle_month: "2026-07-01T00:00:00Z" },
    ]);
  });
});

describe("PATCH keys/{keyId}", () => {
  test("changes what is given and nothing else", async () => {
    const id = await create();
    plane.live.told.length = 0;
    const suspended = await patch(id, { status: "suspended" });
    expect(suspended).toMatchObject({ status: 200, json: { name: "app", status: "suspended" } });
    expect(plane.live.told).toContain(`key ${id}`);
    const changed = await patch(id, { name: " new ", monthly_token_limit: 7, rate_limit_rpm: 8 });
    expect(changed.json).toMatchObject({
      name: "new",
      monthly_token_limit: 7,
      rate_limit_rpm: 8,
      status: "suspended",
    });
    expect((await patch(id, { status: "active" })).json).toMatchObject({ status: "active" });
    const before = await stored(id);
    expect((await patch(id, {})).status).toBe(200);
    expect(await stored(id)).toEqual(before);
  });

  const BAD: object[] = [
    { status: "revoked" },
    { name: null },
    { monthly_token_limit: null },
    { monthly_token_limit: 0 },
    { rate_limit_rpm: 1.5 },
    { key_prefix: "fdb-inf-xxxx" },
    { revoked_at: null },
  ];
  test.each(BAD)("refuses %p", async (body) => {
    const id = await create();
    const before = await stored(id);
    expect(await patch(id, body)).toMatchObject({ status: 400, json: { code: "invalid_request" } });
    expect(await stored(id)).toEqual(before);
  });
});

describe("DELETE keys/{keyId}", () => {
  test("revokes for good and keeps the row", async () => {
    const id = await create();
    plane.live.told.length = 0;
    expect((await revoke(id)).status).toBe(204);
    expect(plane.live.told).toEqual([`key ${id}`]);
    const { json } = await plane.ask({ path: PATH });
    const revoked = { id, status: "revoked", revoked_at: "2026-06-15T12:00:00Z" };
    expect(json["keys"]).toMatchObject([revoked]);
    for (const body of [{ status: "active" }, { name: "x" }, {}])
      expect(await patch(id, body)).toMatchObject({ status: 409, json: { code: "key_revoked" } });
    plane.clock.advance(60_000);
    expect((await revoke(id)).status).toBe(204);
    expect(await stored(id)).toMatchObject({ revoked_at_ms: plane.clock.wallMs() - 60_000 });
    const events = await plane.db
      .selectFrom("audit_events")
      .select("actor")
      .where("action", "=", "inference_key.revoke")
      .execute();
    expect(events).toEqual([{ actor: "owner" }]);
  });
});

describe("a key of another organization", () => {
  test("is not there, like one that never was", async () => {
    const id = await create();
    const foreign = `/organizations/${plane.otherId}/inference/keys`;
    const ids = [id, "019ecb27-2200-7440-b544-000000000000", "x", "%2e%2e%2f", "'"];
    const texts = new Set<string>();
    for (const one of ids) {
      for (const method of ["PATCH", "DELETE"]) {
        const body = method === "PATCH" ? { name: "stolen" } : undefined;
        const answer = await plane.ask({ as: "outsider", method, path: `${foreign}/${one}`, body });
        expect(answer.status).toBe(404);
        texts.add(answer.text);
      }
    }
    expect([...texts]).toHaveLength(1);
    expect(await stored(id)).toMatchObject({ name: "app", status: "active" });
  });
});
