import { expect, test } from "bun:test";
import {
  type AuditQuery,
  changesOf,
  listAuditEvents,
  recordAuditEvent,
} from "../../src/store/audit.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";

const ACT = { actor: "ali", address: "192.0.2.1", nowMs: Date.UTC(2026, 5, 15) };

test("an event says who did what to what, and when", async () => {
  const database = await openTestDatabase();
  const event = { organizationId: null, action: "user.create", target: "id" };
  await recordAuditEvent(database.db, ACT, event);
  await recordAuditEvent(database.db, ACT, { ...event, detail: { name: 'a"b', count: 1 } });
  const rows = await database.db.selectFrom("audit_events").selectAll().orderBy("id").execute();
  expect(rows.map((row) => row.detail)).toEqual(["{}", '{"name":"a\\"b","count":1}']);
  expect(rows[0]).toMatchObject({
    organization_id: null,
    actor: "ali",
    address: "192.0.2.1",
    action: "user.create",
    target: "id",
    happened_at_ms: ACT.nowMs,
  });
  await database.close();
});

test("an event goes with its change if the transaction is undone", async () => {
  const database = await openTestDatabase();
  const undone = database.db.transaction().execute(async (tx) => {
    await recordAuditEvent(tx, ACT, { organizationId: null, action: "x", target: "y" });
    throw new Error("undo");
  });
  await expect(undone).rejects.toThrow("undo");
  expect(await database.db.selectFrom("audit_events").selectAll().execute()).toEqual([]);
  await database.close();
});

test("a change names what differs, with both values", () => {
  const before = { name: "a", limit: 5, url: null, open: false };
  expect(changesOf(before, { name: "a", limit: 6, url: "x", open: false })).toEqual({
    limit: { before: 5, after: 6 },
    url: { before: null, after: "x" },
  });
  expect(changesOf(before, before)).toEqual({});
});

/** Writes 40 events, four at each moment, for three organizations and none. */
async function fill({ db }: TestDatabase): Promise<void> {
  for (let index = 0; index < 40; index += 1) {
    const act = { ...ACT, actor: `user ${index % 3}`, nowMs: ACT.nowMs + Math.floor(index / 4) };
    const organizationId = ["a", "b", "c", null][index % 4] ?? null;
    await recordAuditEvent(db, act, { organizationId, action: "do", target: `${index}` });
  }
}

test("any way through the pages shows every event once, the newest first", async () => {
  const database = await openTestDatabase();
  await fill(database);
  for (const organizationId of ["a", null])
    for (const limit of [1, 3, 7, 100]) {
      const targets: string[] = [];
      let page = await listAuditEvents(database.db, { organizationId, limit });
      while (page.length > 0) {
        targets.push(...page.map((row) => row.target));
        const beforeId = page.at(-1)?.id;
        page = await listAuditEvents(database.db, { organizationId, limit, beforeId });
      }
      const all = Array.from({ length: 40 }, (_, index) => index);
      const own = all.filter((index) => organizationId === null || index % 4 === 0);
      expect(targets).toHaveLength(own.length);
      expect(targets.map(Number).toSorted((a, b) => a - b)).toEqual(own);
      const moments = targets.map((target) => Math.floor(Number(target) / 4));
      expect(moments).toEqual(moments.toSorted((a, b) => b - a));
    }
  await database.close();
});

test("times bound the search: the first is in it, the last is not", async () => {
  const database = await openTestDatabase();
  await fill(database);
  const times = { fromMs: ACT.nowMs + 2, toMs: ACT.nowMs + 4 };
  const found = (changes: Partial<AuditQuery>) =>
    listAuditEvents(database.db, { organizationId: null, limit: 100, ...times, ...changes });
  expect((await found({})).map((row) => row.happened_at_ms - ACT.nowMs)).toEqual([
    3, 3, 3, 3, 2, 2, 2, 2,
  ]);
  expect((await found({ organizationId: "a" })).map((row) => row.target)).toEqual(["12", "8"]);
  expect((await found({ actor: "user 0", organizationId: "a" })).map((row) => row.target)).toEqual([
    "12",
  ]);
  expect(await found({ action: "undo" })).toEqual([]);
  await database.close();
});

test("a page is read by an index, however many events there are", async () => {
  const database = await openTestDatabase();
  const plan = async (query: AuditQuery): Promise<string> => {
    const { sql, parameters } = await compiled(database, query);
    using rows = database.connection.prepare<{ detail: string }, never[]>(
      `explain query plan ${sql}`,
    );
    return rows
      .all(...(parameters as never[]))
      .map((row) => row.detail)
      .join("; ");
  };
  const beforeId = "019ecb27-2200-7440-b544-0000000000ff";
  const own = await plan({ organizationId: "a", limit: 50, beforeId });
  expect(own).toContain("audit_events_by_organization (organization_id=? AND happened_at_ms");
  // Only events of the same millisecond are sorted.
  expect(own).not.toMatch(/USE TEMP B-TREE FOR ORDER BY/);
  const all = await plan({ organizationId: null, limit: 50, beforeId });
  expect(all).toContain("SEARCH audit_events USING INDEX");
  expect(all).not.toContain("TEMP B-TREE");
  await database.close();
});

/** Returns the query as it reaches the database. */
async function compiled({ db }: TestDatabase, query: AuditQuery) {
  const seen: { sql: string; parameters: readonly unknown[] }[] = [];
  const watched = db.withPlugin({
    transformQuery: ({ node, queryId }) => {
      seen.push(db.getExecutor().compileQuery(node, queryId));
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  await listAuditEvents(watched, query);
  const [first] = seen;
  if (first === undefined) throw new Error("Expected a query");
  return first;
}
