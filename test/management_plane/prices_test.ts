import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { openPlane, type TestPlane } from "../support/management_plane.ts";

const PATH = "/organizations/{org}/inference/prices";
const UNIT = "microcents_per_million_tokens";
const RATES = { [`input_${UNIT}`]: 300_000_000, [`output_${UNIT}`]: 1_500_000_000 };

let plane: TestPlane;
beforeEach(async () => {
  plane = await openPlane();
});
afterEach(() => plane.database.close());

const put = (body: unknown) => plane.ask({ method: "PUT", path: PATH, body });
const list = async () => (await plane.ask({ path: PATH })).json["prices"];
const remove = (name: string) => plane.ask({ method: "DELETE", path: `${PATH}/${name}` });

describe("PUT prices", () => {
  test("sets every rate there is, and shows it as it was given", async () => {
    const rates = {
      ...RATES,
      [`cache_read_${UNIT}`]: 30_000_000,
      [`cache_write_${UNIT}`]: 375_000_000,
      [`cache_write_1h_${UNIT}`]: 600_000_000,
      [`input_audio_${UNIT}`]: 10_000 * 100_000_000,
      [`output_audio_${UNIT}`]: 0,
    };
    const saved = await put({ model: "openai/house-blend", ...rates });
    expect(saved.status).toBe(200);
    expect(saved.json).toEqual({
      model: "openai/house-blend",
      ...rates,
      created_at: "2026-06-15T12:00:00Z",
      updated_at: "2026-06-15T12:00:00Z",
    });
    expect(await list()).toEqual([saved.json]);
    expect(plane.live.told).toEqual([`organization ${plane.organizationId}`]);
  });

  test("0 is a price, and null is none", async () => {
    const free = { [`input_${UNIT}`]: 0, [`output_${UNIT}`]: 0 };
    const saved = await put({ model: "groq/openai/gpt-oss-120b", alias_of: null, ...free });
    expect(saved.json).toMatchObject({ model: "groq/openai/gpt-oss-120b", ...free });
    const nulls = { [`cache_read_${UNIT}`]: null };
    expect((await put({ model: "openai/a", ...RATES, ...nulls })).json).not.toHaveProperty(
      `cache_read_${UNIT}`,
    );
  });

  test("replaces what was said before, whatever that was", async () => {
    await put({ model: "azure_openai/prod", ...RATES });
    plane.clock.advance(60_000);
    await put({ model: "azure_openai/prod", alias_of: "openai/gpt-4o" });
    const times = { created_at: "2026-06-15T12:00:00Z", updated_at: "2026-06-15T12:01:00Z" };
    const alias = { model: "azure_openai/prod", alias_of: "openai/gpt-4o", ...times };
    expect(await list()).toEqual([alias]);
  });

  const BAD: [object, code: string][] = [
    [{}, "invalid_request"],
    [{ model: "openai/a" }, "invalid_request"],
    [{ model: "gpt-5", ...RATES }, "invalid_request"],
    [{ model: "openai/", ...RATES }, "invalid_request"],
    [{ model: "openai/a b", ...RATES }, "invalid_request"],
    [{ model: `openai/${"a".repeat(200)}`, ...RATES }, "invalid_request"],
    [{ model: "acme/a", ...RATES }, "invalid_request"],
    [{ model: "openai/a", [`input_${UNIT}`]: 1 }, "invalid_request"],
    [{ model: "openai/a", [`output_${UNIT}`]: 1 }, "invalid_request"],
    [{ model: "openai/a", ...RATES, [`input_${UNIT}`]: -1 }, "invalid_request"],
    [{ model: "openai/a", ...RATES, [`input_${UNIT}`]: 0.5 }, "invalid_request"],
    [{ model: "openai/a", ...RATES, [`input_${UNIT}`]: 1e12 + 1 }, "invalid_request"],
    [{ model: "openai/a", ...RATES, [`input_${UNIT}`]: "1" }, "invalid_request"],
    [{ model: "openai/a", ...RATES, input: 1 }, "invalid_request"],
    [{ model: "openai/a", ...RATES, alias_of: "openai/gpt-4o" }, "invalid_request"],
    [{ model: "openai/a", alias_of: "" }, "alias_unpriced"],
    [{ model: "openai/a", alias_of: "gpt-4o" }, "alias_unpriced"],
    [{ model: "openai/a", alias_of: "openai/unheard-of" }, "alias_unpriced"],
  ];
  test.each(BAD)("refuses %p", async (body, code) => {
    expect(await put(body)).toMatchObject({ status: 400, json: { code } });
    expect(await list()).toEqual([]);
    expect(plane.live.told).toEqual([]);
  });

  test("an alias of another own price counts for nothing: the catalogue is meant", async () => {
    await put({ model: "openai/a", ...RATES });
    expect((await put({ model: "openai/b", alias_of: "openai/a" })).status).toBe(400);
  });

  test("an organization has a bounded number of prices, and may still change them", async () => {
    const { db, organizationId } = plane;
    const rates = { cache_read: null, cache_write: null, cache_write_1h: null, alias_of: null };
    const rows = Array.from({ length: 1000 }, (_, index) => ({
      organization_id: organizationId,
      provider: "openai" as const,
      model: `m${index}`,
      ...rates,
      input: 1,
      output: 1,
      input_audio: null,
      output_audio: null,
      created_at_ms: 0,
      updated_at_ms: 0,
    }));
    for (let first = 0; first < rows.length; first += 100)
      await db
        .insertInto("model_prices")
        .values(rows.slice(first, first + 100))
        .execute();
    const refused = await put({ model: "openai/new", ...RATES });
    expect(refused).toMatchObject({ status: 409, json: { code: "too_many_prices" } });
    expect((await put({ model: "openai/m7", ...RATES })).status).toBe(200);
  });
});

describe("DELETE prices/{provider}/{model}", () => {
  test("deletes a price whose model's name has slashes, signs and letters in it", async () => {
    for (const model of ["groq/openai/gpt-oss-120b", "openai/ft:gpt-4o:acme::100%", "openai/a"])
      await put({ model, ...RATES });
    plane.live.told.length = 0;
    expect((await remove("groq/openai%2Fgpt-oss-120b")).status).toBe(204);
    expect((await remove("openai/ft%3agpt-4o%3Aacme::100%25")).status).toBe(204);
    expect((await remove("openai/a")).status).toBe(204);
    expect(await list()).toEqual([]);
    const told = `organization ${plane.organizationId}`;
    expect(plane.live.told).toEqual([told, told, told]);
  });

  test("what is not there cannot be deleted", async () => {
    await put({ model: "openai/a", ...RATES });
    for (const name of ["openai/b", "groq/a", "acme/a", "openai/%", "openai/%ff", "openai/%2Fa"])
      expect(await remove(name)).toMatchObject({ status: 404, json: { code: "price_not_found" } });
    expect((await remove("groq/openai/gpt-oss-120b")).json["code"]).toBe("unknown_url");
    const foreign = `/organizations/${plane.otherId}/inference/prices/openai/a`;
    const answer = await plane.ask({ as: "outsider", method: "DELETE", path: foreign });
    expect(answer).toMatchObject({ status: 404, json: { code: "price_not_found" } });
    expect(await list()).toHaveLength(1);
  });
});
