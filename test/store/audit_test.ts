import { expect, test } from "bun:test";
import { recordAuditEvent } from "../../src/store/audit.ts";
import { openTestDatabase } from "../support/database.ts";

const ACT = { actor: "ali", nowMs: Date.UTC(2026, 5, 15) };

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
