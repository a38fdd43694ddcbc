import { uuid7 } from "../std/uuid7.ts";
import type { Db } from "./tables.ts";

/** Who changes something, and when. */
export interface Act {
  /** A user's name, or `system`. */
  readonly actor: string;
  readonly nowMs: number;
}

/** What was done to what. */
export interface AuditEvent {
  /** Null for what belongs to no organization. */
  readonly organizationId: string | null;
  /** Such as `inference_key.revoke`. */
  readonly action: string;
  /** The id of what it was done to. */
  readonly target: string;
  /** What changed, named field by field. Never a secret. */
  readonly detail?: Readonly<Record<string, string | number | boolean | null>>;
}

/** Writes down a change. It belongs in the change's own transaction: neither is there without the other. */
export async function recordAuditEvent(db: Db, act: Act, event: AuditEvent): Promise<void> {
  await db
    .insertInto("audit_events")
    .values({
      id: uuid7(act.nowMs),
      organization_id: event.organizationId,
      actor: act.actor,
      action: event.action,
      target: event.target,
      detail: JSON.stringify(event.detail ?? {}),
      happened_at_ms: act.nowMs,
    })
    .execute();
}
