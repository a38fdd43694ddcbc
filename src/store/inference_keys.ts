import type { Month } from "../domain/month.ts";
import { uuid7 } from "../std/uuid7.ts";
import { type Act, type AuditValue, changesOf, recordAuditEvent } from "./audit.ts";
import type { Db, Row } from "./tables.ts";

/** An inference key with the tokens it used in a month. */
export type InferenceKeyWithUse = Row<"inference_keys"> & { readonly used_tokens: number | null };

/** Returns an organization's inference keys, oldest first, revoked ones included. */
export function listInferenceKeys(
  db: Db,
  organizationId: string,
  month: Month,
): Promise<InferenceKeyWithUse[]> {
  return keysOf(db, organizationId, month).orderBy("created_at_ms").orderBy("id").execute();
}

/** Finds an inference key of an organization by its id. */
export function findInferenceKey(
  db: Db,
  organizationId: string,
  keyId: string,
  month: Month,
): Promise<InferenceKeyWithUse | undefined> {
  return keysOf(db, organizationId, month).where("id", "=", keyId).executeTakeFirst();
}

/** What may be said of a key when it is created, and changed later. */
export interface InferenceKeyLimits {
  readonly name: string;
  readonly monthlyTokenLimit: number;
  readonly rateLimitRpm: number;
}

/** Creates an active inference key, of which only prefix and hash are known here. */
export async function createInferenceKey(
  db: Db,
  act: Act,
  key: InferenceKeyLimits & {
    readonly organizationId: string;
    readonly prefix: string;
    readonly hash: string;
  },
): Promise<Row<"inference_keys">> {
  const row: Row<"inference_keys"> = {
    id: uuid7(act.nowMs),
    organization_id: key.organizationId,
    name: key.name,
    key_prefix: key.prefix,
    key_hash: key.hash,
    monthly_token_limit: key.monthlyTokenLimit,
    rate_limit_rpm: key.rateLimitRpm,
    status: "active",
    created_at_ms: act.nowMs,
    revoked_at_ms: null,
  };
  await db.insertInto("inference_keys").values(row).execute();
  await recordAuditEvent(db, act, {
    organizationId: key.organizationId,
    action: "inference_key.create",
    target: row.id,
    detail: {
      name: row.name,
      key_prefix: row.key_prefix,
      monthly_token_limit: row.monthly_token_limit,
      rate_limit_rpm: row.rate_limit_rpm,
    },
  });
  return row;
}

export interface InferenceKeyChanges {
  readonly name?: string | undefined;
  readonly monthly_token_limit?: number | undefined;
  readonly rate_limit_rpm?: number | undefined;
  readonly status?: "active" | "suspended" | undefined;
}

/** Changes what is given of an inference key. What is as it was is no change, and is not written down. */
export async function updateInferenceKey(
  db: Db,
  act: Act,
  organizationId: string,
  keyId: string,
  changes: InferenceKeyChanges,
): Promise<void> {
  const before = await oneKey(db, organizationId, keyId).executeTakeFirst();
  if (before === undefined) return;
  const given = Object.entries(changes).filter((entry) => entry[1] !== undefined);
  const detail = changesOf(said(before), { ...said(before), ...Object.fromEntries(given) });
  if (Object.keys(detail).length === 0) return;
  await db
    .updateTable("inference_keys")
    .set(changes)
    .where("organization_id", "=", organizationId)
    .where("id", "=", keyId)
    .execute();
  await recordAuditEvent(db, act, {
    organizationId,
    action: "inference_key.update",
    target: keyId,
    detail,
  });
}

/** Revokes an inference key for good. Its row stays, so that its usage has a name. */
export async function revokeInferenceKey(
  db: Db,
  act: Act,
  organizationId: string,
  keyId: string,
): Promise<void> {
  const before = await oneKey(db, organizationId, keyId).executeTakeFirst();
  if (before === undefined) return;
  await db
    .updateTable("inference_keys")
    .set({ status: "revoked", revoked_at_ms: act.nowMs })
    .where("organization_id", "=", organizationId)
    .where("id", "=", keyId)
    .execute();
  await recordAuditEvent(db, act, {
    organizationId,
    action: "inference_key.revoke",
    target: keyId,
    detail: said(before),
  });
}

function oneKey(db: Db, organizationId: string, keyId: string) {
  return db
    .selectFrom("inference_keys")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .where("id", "=", keyId);
}

function said(row: Row<"inference_keys">) {
  const { name, monthly_token_limit, rate_limit_rpm, status } = row;
  return { name, monthly_token_limit, rate_limit_rpm, status } satisfies Record<string, AuditValue>;
}

function keysOf(db: Db, organizationId: string, month: Month) {
  return db
    .selectFrom("inference_keys")
    .leftJoin("key_months", (join) =>
      join.onRef("key_months.key_id", "=", "inference_keys.id").on("key_months.month", "=", month),
    )
    .where("organization_id", "=", organizationId)
    .selectAll("inference_keys")
    .select("key_months.used_tokens");
}
