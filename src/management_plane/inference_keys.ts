import * as v from "valibot";
import { generateInferenceKey, hashKey, keyPrefix } from "../domain/inference_key_text.ts";
import { type Month, monthStartMs } from "../domain/month.ts";
import { formatRfc3339 } from "../std/rfc3339.ts";
import { parseUuid } from "../std/uuid.ts";
import {
  createInferenceKey,
  findInferenceKey,
  type InferenceKeyWithUse,
  listInferenceKeys,
  revokeInferenceKey,
  updateInferenceKey,
} from "../store/inference_keys.ts";
import type { Db } from "../store/tables.ts";
import type { OrganizationCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import { ManagementError } from "./error_response.ts";
import { name, oneOf, wholeNumber } from "./fields.ts";
import { emptyResponse, jsonResponse } from "./json_response.ts";
import type { InferenceKey } from "./openapi/inference_keys.ts";
import { readBody } from "./read_body.ts";

const RATE_LIMIT_RPM_MAX = 100_000;
const RATE_LIMIT_RPM_DEFAULT = 60;

/** What a new inference key is made of. Where absence means the default, null means the same. */
export const CreateBody = v.strictObject({
  name: name(),
  monthly_token_limit: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  rate_limit_rpm: v.nullish(wholeNumber(1, RATE_LIMIT_RPM_MAX), RATE_LIMIT_RPM_DEFAULT),
});

/** What of an inference key can change. Where absence means no change, null means nothing, and is refused. */
export const UpdateBody = v.strictObject({
  name: v.optional(name()),
  monthly_token_limit: v.optional(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
  rate_limit_rpm: v.optional(wholeNumber(1, RATE_LIMIT_RPM_MAX)),
  status: v.optional(oneOf("active", "suspended")),
});

const ACTIVATION_NOTE =
  "The key works at once. This is the only time it is shown: store it now, it cannot be read again.";

/** Answers with the organization's inference keys. */
export async function list(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  await deps.live.flush();
  const month = deps.live.month(call.act.nowMs);
  const keys = await listInferenceKeys(deps.db, call.organization.id, month);
  return jsonResponse(200, { keys: keys.map((key) => view(key, month, deps)) });
}

/** Creates an inference key, and answers with its text: the one time that it is known. */
export async function create(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  const body = await readBody(call.request, CreateBody);
  const secret = generateInferenceKey();
  const row = await deps.db.transaction().execute((tx) =>
    createInferenceKey(tx, call.act, {
      organizationId: call.organization.id,
      name: body.name,
      monthlyTokenLimit: body.monthly_token_limit,
      rateLimitRpm: body.rate_limit_rpm,
      prefix: keyPrefix(secret),
      hash: hashKey(secret),
    }),
  );
  deps.live.keyChanged(row.id);
  const key = view({ ...row, used_tokens: null }, deps.live.month(call.act.nowMs), deps);
  return jsonResponse(201, { key, secret, activation_note: ACTIVATION_NOTE });
}

/** Changes an inference key that is not revoked. */
export async function update(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  const changes = await readBody(call.request, UpdateBody);
  await deps.live.flush();
  const month = deps.live.month(call.act.nowMs);
  const key = await deps.db.transaction().execute(async (tx) => {
    const { id, status } = await requireKey(tx, call, month);
    if (status === "revoked") {
      throw new ManagementError(
        "key_revoked",
        "Cannot change inference key: it is revoked, for good",
      );
    }
    await updateInferenceKey(tx, call.act, call.organization.id, id, changes);
    return requireKey(tx, call, month);
  });
  deps.live.keyChanged(key.id);
  return jsonResponse(200, view(key, month, deps));
}

/** Revokes an inference key. To do it again changes nothing. */
export async function revoke(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  const { id } = await deps.db.transaction().execute(async (tx) => {
    const key = await requireKey(tx, call, deps.live.month(call.act.nowMs));
    if (key.status !== "revoked")
      await revokeInferenceKey(tx, call.act, call.organization.id, key.id);
    return key;
  });
  deps.live.keyChanged(id);
  return emptyResponse();
}

async function requireKey(
  db: Db,
  call: OrganizationCall,
  month: Month,
): Promise<InferenceKeyWithUse> {
  const id = parseUuid(call.params["keyId"] ?? "");
  const key = id === null ? undefined : await findInferenceKey(db, call.organization.id, id, month);
  if (key !== undefined) return key;
  throw new ManagementError(
    "inference_key_not_found",
    "Cannot find inference key: this organization has none with this id",
  );
}

function view(
  key: InferenceKeyWithUse,
  month: Month,
  { live }: Pick<ManagementDeps, "live">,
): v.InferOutput<typeof InferenceKey> {
  return {
    id: key.id,
    name: key.name,
    key_prefix: key.key_prefix,
    monthly_token_limit: key.monthly_token_limit,
    rate_limit_rpm: key.rate_limit_rpm,
    status: key.status,
    tokens_used_cycle: key.used_tokens ?? 0,
    tokens_held: live.heldTokens(key.id),
    cycle_month: formatRfc3339(monthStartMs(month)),
    created_at: formatRfc3339(key.created_at_ms),
    revoked_at: key.revoked_at_ms === null ? null : formatRfc3339(key.revoked_at_ms),
  };
}
