import { expect, test } from "bun:test";
import { reportUsage } from "../../src/store/usage_report.ts";
import { withOrganizations } from "../support/store.ts";
import { addUsageHour } from "../support/usage.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 5, 1);
const MONTH = { fromMs: START_MS, toMs: Date.UTC(2026, 6, 1), groupBy: "model" } as const;

test(
  "calls are summed up by model, the most expensive first",
  withOrganizations(async ({ db }, organizationId, other) => {
    await addUsageHour(db, organizationId, START_MS, { requested_model: "openai/b" });
    await addUsageHour(db, organizationId, START_MS, { requested_model: "openai/a" });
    const big = {
      requested_model: "mistral/m",
      provider: "mistral",
      cost_microcents: 300,
    } as const;
    await addUsageHour(db, organizationId, START_MS, { ...big, calls: 2 });
    await addUsageHour(db, organizationId, START_MS + HOUR_MS, { ...big, key_id: "key-2" });
    await addUsageHour(db, other, START_MS, { cost_microcents: 9999 });
    const small = { calls: 1, input_tokens: 100, output_tokens: 10, cost_microcents: 5 };
    expect(await reportUsage(db, { ...MONTH, organizationId })).toEqual([
      {
        group_key: "mistral/m",
        provider: "mistral",
        calls: 3,
        input_tokens: 200,
        output_tokens: 20,
        cost_microcents: 600,
      },
      { group_key: "openai/a", provider: "openai", ...small },
      { group_key: "openai/b", provider: "openai", ...small },
    ]);
  }),
);

test(
  "calls are summed up by key and provider",
  withOrganizations(async ({ db }, organizationId) => {
    await addUsageHour(db, organizationId, START_MS, { requested_model: "openai/a" });
    await addUsageHour(db, organizationId, START_MS, { requested_model: "openai/b" });
    await addUsageHour(db, organizationId, START_MS, {
      provider: "groq",
      requested_model: "groq/g",
    });
    await addUsageHour(db, organizationId, START_MS, { key_id: "key-0" });
    const rows = await reportUsage(db, { ...MONTH, organizationId, groupBy: "key" });
    expect(rows.map((row) => [row.group_key, row.provider, row.calls])).toEqual([
      ["key-1", "openai", 2],
      ["key-0", "openai", 1],
      ["key-1", "groq", 1],
    ]);
  }),
);

const RANGES: [fromMs: number, toMs: number, hours: number[]][] = [
  [0, 3 * HOUR_MS, [0, 1, 2]],
  [0, 3 * HOUR_MS + 1, [0, 1, 2, 3]],
  [0, 3 * HOUR_MS - 1, [0, 1, 2]],
  [HOUR_MS, 2 * HOUR_MS, [1]],
  [HOUR_MS + 1, 2 * HOUR_MS, [1]],
  [2 * HOUR_MS - 1, 2 * HOUR_MS, [1]],
  [4 * HOUR_MS, 9 * HOUR_MS, []],
];

test.each(RANGES)(
  "from %p to %p an hour counts if it begins there",
  async (fromMs, toMs, hours) => {
    await withOrganizations(async ({ db }, organizationId) => {
      for (const hour of [0, 1, 2, 3])
        await addUsageHour(db, organizationId, START_MS + hour * HOUR_MS, {
          requested_model: `openai/${hour}`,
        });
      const range = { fromMs: START_MS + fromMs, toMs: START_MS + toMs };
      const rows = await reportUsage(db, { ...MONTH, ...range, organizationId });
      expect(rows.map((row) => row.group_key)).toEqual(hours.map((hour) => `openai/${hour}`));
    })();
  },
);
