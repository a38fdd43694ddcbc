import { uuid7, uuid7From, uuid7TimeMs } from "../std/uuid7.ts";
import type { Db, Row } from "./tables.ts";

/** Who changes something, and when. */
export interface Act {
  /** A user's name, `operator`, or `system`. */
  readonly actor: string;
  /** Where the request came from: an IP address, or `local` for what this machine did or asked itself. */
  readonly address: string;
  readonly nowMs: number;
}

/** What the process did by itself. */
export function systemAct(nowMs: number): Act {
  return { actor: "system", address: "local", nowMs };
}

/** One thing that an event says. */
export type AuditValue = string | number | boolean | null;

/** What an event says, by name: how something is, or how it was before and is after. Never a secret. */
export type AuditDetail = Readonly<
  Record<string, AuditValue | { readonly before: AuditValue; readonly after: AuditValue }>
>;

/** What was done to what. */
export interface AuditEvent {
  /** Null for what belongs to no organization. */
  readonly organizationId: string | null;
  /** Such as `inference_key.revoke`. */
  readonly action: string;
  /** The id of what it was done to. */
  readonly target: string;
  readonly detail?: AuditDetail;
}

/** Names what differs between two states of the same thing, each with both values. */
export function changesOf<Name extends string>(
  before: Readonly<Record<Name, AuditValue>>,
  after: Readonly<Record<Name, AuditValue>>,
): AuditDetail {
  const names = Object.keys(after) as Name[];
  const changed = names.filter((name) => before[name] !== after[name]);
  return Object.fromEntries(
    changed.map((name) => [name, { before: before[name], after: after[name] }]),
  );
}

/** Writes down a change. It belongs in the change's own transaction: neither is there without the other. */
export async function recordAuditEvent(db: Db, act: Act, event: AuditEvent): Promise<void> {
  await db
    .insertInto("audit_events")
    .values({
      id: uuid7(act.nowMs),
      organization_id: event.organizationId,
      actor: act.actor,
      address: act.address,
      action: event.action,
      target: event.target,
      detail: JSON.stringify(event.detail ?? {}),
      happened_at_ms: act.nowMs,
    })
    .execute();
}

/** Which events to read. What is undefined narrows nothing. */
export interface AuditQuery {
  /** Null for everybody's, and those of no organization. */
  readonly organizationId: string | null;
  /** Only what happened before the event with this id. */
  readonly beforeId?: string | undefined;
  readonly action?: string | undefined;
  readonly actor?: string | undefined;
  readonly fromMs?: number | undefined;
  /** Not included. */
  readonly toMs?: number | undefined;
  readonly limit: number;
}

/** Returns events, the newest first. They are kept for good: nothing ever deletes one. */
export function listAuditEvents(db: Db, asked: AuditQuery): Promise<Row<"audit_events">[]> {
  const { organizationId, beforeId, action, actor, fromMs, toMs, limit } = asked;
  let query = db.selectFrom("audit_events").selectAll();
  // An id begins with the time of its event. With both said, either index ends the search where the time does.
  if (beforeId !== undefined)
    query = query.where("id", "<", beforeId).where("happened_at_ms", "<=", uuid7TimeMs(beforeId));
  if (fromMs !== undefined)
    query = query.where("id", ">=", uuid7From(fromMs)).where("happened_at_ms", ">=", fromMs);
  if (toMs !== undefined)
    query = query.where("id", "<", uuid7From(toMs)).where("happened_at_ms", "<", toMs);
  if (action !== undefined) query = query.where("action", "=", action);
  if (actor !== undefined) query = query.where("actor", "=", actor);
  if (organizationId !== null)
    query = query.where("organization_id", "=", organizationId).orderBy("happened_at_ms", "desc");
  return query.orderBy("id", "desc").limit(limit).execute();
}
