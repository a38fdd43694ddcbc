import { afterEach, beforeEach, expect, test } from "bun:test";
import { STEP_ROWS_MAX, topKeys, topOrganizations } from "../../src/store/gauges.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";

const MONTH = 202606;

let database: TestDatabase;
beforeEach(async () => {
  database = await openTestDatabase();
});
afterEach(() => database.close());

/** Writes an organization with settings, and what its calls cost in some months. */
async function addOrganization(
  id: string,
  costs: Readonly<Record<number, number>> = {},
  openedAtMs: number | null = null,
): Promise<void> {
  const { db } = database;
  await db
    .insertInto("organizations")
    .values({ id, name: id, slug: `${id}-slug`, is_personal: 0, created_at_ms: 0 })
    .execute();
  await db
    .insertInto("org_settings")
    .values({
      organization_id: id,
      eu_only: 0,
      monthly_cost_limit_cents: 250,
      circuit_opened_at_ms: openedAtMs,
      created_at_ms: 0,
      updated_at_ms: 0,
    })
    .execute();
  for (const [month, cost] of Object.entries(costs))
    await db
      .insertInto("org_months")
      .values({ organization_id: id, month: Number(month), cost_microcents: cost })
      .execute();
}

function addKey(id: string, tokens: Readonly<Record<number, number>>, status = "active"): void {
  const { connection } = database;
  connection.run(
    `insert into inference_keys (id, organization_id, name, key_prefix, key_hash,
       monthly_token_limit, rate_limit_rpm, status, created_at_ms, revoked_at_ms)
     values (?, 'acme', ?, 'fdb-inf-abcd', ?, 1000, 60, ?, 0, null)`,
    [id, `name of ${id}`, `hash of ${id}`, status],
  );
  for (const [month, used] of Object.entries(tokens))
    connection.run("insert into key_months (key_id, month, used_tokens) values (?, ?, ?)", [
      id,
      Number(month),
      used,
    ]);
}

test("a key is shown with its organization, its name, its tokens of the month and its ceiling", async () => {
  await addOrganization("acme");
  addKey("one", { 202605: 900, [MONTH]: 7 });
  expect(await topKeys(database.db, MONTH, 10)).toEqual([
    {
      organization: "acme-slug",
      id: "one",
      name: "name of one",
      usedTokens: 7,
      monthlyTokenLimit: 1000,
    },
  ]);
});

test("the keys that used most are shown, those that used nothing last and revoked ones never", async () => {
  await addOrganization("acme");
  addKey("a", {});
  addKey("b", { [MONTH]: 5 });
  addKey("c", { [MONTH]: 50 }, "revoked");
  addKey("d", { [MONTH]: 9 }, "suspended");
  const ids = async (count: number) =>
    (await topKeys(database.db, MONTH, count)).map(({ id }) => id);
  expect(await ids(10)).toEqual(["d", "b", "a"]);
  expect(await ids(2)).toEqual(["d", "b"]);
});

test("more keys than are read at once are all considered, and others get their turn in between", async () => {
  await addOrganization("acme");
  const count = STEP_ROWS_MAX * 2 + 1;
  database.connection.transaction(() => {
    for (let index = 0; index < count; index += 1)
      addKey(String(index).padStart(6, "0"), { [MONTH]: (index * 7919) % 100_003 });
  })();
  let turns = 0;
  const tick = () => {
    turns += 1;
    timer = setImmediate(tick);
  };
  let timer = setImmediate(tick);
  const top = await topKeys(database.db, MONTH, 3);
  clearImmediate(timer);
  const used = Array.from({ length: count }, (_, index) => (index * 7919) % 100_003);
  expect(top.map(({ usedTokens }) => usedTokens)).toEqual(used.sort((a, b) => b - a).slice(0, 3));
  expect(turns).toBeGreaterThanOrEqual(2);
});

test("an organization is shown with its cost of the month, its limit and its circuit", async () => {
  await addOrganization("acme", { 202605: 900, [MONTH]: 7 });
  expect(await topOrganizations(database.db, MONTH, 10)).toEqual([
    {
      organization: "acme-slug",
      costMicrocents: 7,
      limitMicrocents: 250_000_000,
      circuitOpen: false,
    },
  ]);
});

test("organizations with an open circuit come first, then those that cost most", async () => {
  await addOrganization("a", { [MONTH]: 1 });
  await addOrganization("b", { [MONTH]: 9 });
  await addOrganization("c", {}, 1);
  await addOrganization("d", { [MONTH]: 3 }, 1);
  const slugs = async (count: number) =>
    (await topOrganizations(database.db, MONTH, count)).map((one) => one.organization);
  expect(await slugs(10)).toEqual(["c-slug", "d-slug", "b-slug", "a-slug"]);
  expect(await slugs(3)).toEqual(["c-slug", "d-slug", "b-slug"]);
});
