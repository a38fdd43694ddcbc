import { expect, test } from "bun:test";
import type { Rates } from "../../src/domain/price.ts";
import { Directory } from "../../src/store/directory.ts";
import {
  deleteModelPrice,
  listModelPrices,
  ratesOf,
  saveModelPrice,
} from "../../src/store/model_prices.ts";
import { ACT, auditedActions, NOW_MS, withOrganizations } from "../support/store.ts";

const MODEL = { provider: "azure_openai", model: "prod" } as const;
const ALIAS = { aliasOf: { provider: "openai", model: "gpt-4o" } } as const;
const EVERY: Rates = {
  input: 1,
  output: 2,
  cacheRead: 3,
  cacheWrite: 4,
  cacheWrite1h: 5,
  inputAudio: 6,
  outputAudio: 0,
};

test(
  "a price is saved with every rate, replaced by an alias and deleted, each written down",
  withOrganizations(async (database, organizationId, other) => {
    const { db } = database;
    const first = await saveModelPrice(db, ACT, organizationId, MODEL, { rates: EVERY });
    expect(ratesOf(first)).toEqual(EVERY);
    const later = { ...ACT, nowMs: NOW_MS + 5 };
    await saveModelPrice(db, later, organizationId, MODEL, ALIAS);
    expect(await listModelPrices(db, organizationId)).toEqual([
      {
        organization_id: organizationId,
        ...MODEL,
        alias_of: "openai/gpt-4o",
        input: null,
        output: null,
        cache_read: null,
        cache_write: null,
        cache_write_1h: null,
        input_audio: null,
        output_audio: null,
        created_at_ms: NOW_MS,
        updated_at_ms: NOW_MS + 5,
      },
    ]);
    expect(await listModelPrices(db, other)).toEqual([]);
    expect(await deleteModelPrice(db, ACT, other, MODEL)).toBe(false);
    const last = { ...ACT, nowMs: NOW_MS + 6 };
    expect(await deleteModelPrice(db, last, organizationId, MODEL)).toBe(true);
    expect(await deleteModelPrice(db, ACT, organizationId, MODEL)).toBe(false);
    const [saved, aliased, deleted, ...more] = await auditedActions(database);
    expect(saved).toEqual([
      "model_price.save",
      {
        input: 1,
        output: 2,
        cache_read: 3,
        cache_write: 4,
        cache_write_1h: 5,
        input_audio: 6,
        output_audio: 0,
      },
    ]);
    expect(aliased).toEqual([
      "model_price.save",
      {
        alias_of: { before: null, after: "openai/gpt-4o" },
        input: { before: 1, after: null },
        output: { before: 2, after: null },
        cache_read: { before: 3, after: null },
        cache_write: { before: 4, after: null },
        cache_write_1h: { before: 5, after: null },
        input_audio: { before: 6, after: null },
        output_audio: { before: 0, after: null },
      },
    ]);
    expect(deleted).toEqual(["model_price.delete", { alias_of: "openai/gpt-4o" }]);
    expect(more).toEqual([]);
  }),
);

test(
  "calls see prices under an id that changes with each of them",
  withOrganizations(async (database, organizationId) => {
    const { db } = database;
    const rates = { input: 0, output: 7 };
    await saveModelPrice(db, ACT, organizationId, { ...MODEL, model: "a/b" }, { rates });
    await saveModelPrice(db, ACT, organizationId, MODEL, ALIAS);
    const directory = new Directory(database);
    const before = directory.organization(organizationId);
    expect([...before.prices]).toEqual([
      ["azure_openai/a/b", { id: `override/azure_openai/a/b@${NOW_MS}`, rates }],
      ["azure_openai/prod", ALIAS],
    ]);
    const later = { ...ACT, nowMs: NOW_MS + 1 };
    await saveModelPrice(db, later, organizationId, { ...MODEL, model: "a/b" }, { rates });
    expect(directory.organization(organizationId)).toBe(before);
    directory.forgetOrganization(organizationId);
    expect(directory.organization(organizationId).prices.get("azure_openai/a/b")).toEqual({
      id: `override/azure_openai/a/b@${NOW_MS + 1}`,
      rates,
    });
  }),
);
