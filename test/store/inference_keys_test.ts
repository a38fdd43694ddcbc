import { expect, test } from "bun:test";
import {
  createInferenceKey,
  findInferenceKey,
  listInferenceKeys,
  revokeInferenceKey,
  updateInferenceKey,
} from "../../src/store/inference_keys.ts";
import { ACT, auditedActions, NOW_MS, withOrganizations } from "../support/store.ts";

const MONTH = 202606;
const KEY = {
  name: "app",
  monthlyTokenLimit: 1000,
  rateLimitRpm: 60,
  prefix: "fdb-inf-abcd",
  hash: "hash-1",
};

test(
  "keys are listed oldest first, with the tokens of the month asked for",
  withOrganizations(async ({ db }, organizationId, other) => {
    const later = { ...ACT, nowMs: NOW_MS + 1 };
    const second = await createInferenceKey(db, later, { ...KEY, organizationId, hash: "hash-2" });
    const first = await createInferenceKey(db, ACT, { ...KEY, organizationId });
    await createInferenceKey(db, ACT, { ...KEY, organizationId: other, hash: "hash-3" });
    const use = { key_id: first.id, used_tokens: 70 };
    await db
      .insertInto("key_months")
      .values([
        { ...use, month: MONTH },
        { ...use, month: MONTH - 1, used_tokens: 900 },
      ])
      .execute();
    expect(await listInferenceKeys(db, organizationId, MONTH)).toEqual([
      { ...first, used_tokens: 70 },
      { ...second, used_tokens: null },
    ]);
    expect(await findInferenceKey(db, organizationId, first.id, MONTH - 1)).toMatchObject({
      used_tokens: 900,
    });
    expect(await findInferenceKey(db, other, first.id, MONTH)).toBeUndefined();
  }),
);

test(
  "a key is changed and revoked by its own organization only",
  withOrganizations(async (database, organizationId, other) => {
    const { db } = database;
    const { id } = await createInferenceKey(db, ACT, { ...KEY, organizationId });
    const find = () => findInferenceKey(db, organizationId, id, MONTH);
    await updateInferenceKey(db, ACT, other, id, { name: "stolen" });
    await revokeInferenceKey(db, ACT, other, id);
    expect(await find()).toMatchObject({ name: "app", status: "active" });
    await updateInferenceKey(db, ACT, organizationId, id, { rate_limit_rpm: 5, name: undefined });
    expect(await find()).toMatchObject({ name: "app", rate_limit_rpm: 5 });
    await revokeInferenceKey(db, ACT, organizationId, id);
    expect(await find()).toMatchObject({ status: "revoked", revoked_at_ms: NOW_MS });
  }),
);

test(
  "changes are written down, and no change is not",
  withOrganizations(async (database, organizationId) => {
    const { db } = database;
    const { id } = await createInferenceKey(db, ACT, { ...KEY, organizationId });
    await updateInferenceKey(db, ACT, organizationId, id, {});
    await updateInferenceKey(db, ACT, organizationId, id, { name: "app", rate_limit_rpm: 60 });
    await updateInferenceKey(db, ACT, organizationId, id, { name: "app", status: "suspended" });
    await revokeInferenceKey(db, ACT, organizationId, id);
    const audited = await auditedActions(database);
    expect(audited).toEqual([
      [
        "inference_key.create",
        { name: "app", key_prefix: "fdb-inf-abcd", monthly_token_limit: 1000, rate_limit_rpm: 60 },
      ],
      ["inference_key.update", { status: { before: "active", after: "suspended" } }],
      [
        "inference_key.revoke",
        { name: "app", monthly_token_limit: 1000, rate_limit_rpm: 60, status: "suspended" },
      ],
    ]);
    expect(JSON.stringify(audited)).not.toContain("hash-1");
  }),
);
