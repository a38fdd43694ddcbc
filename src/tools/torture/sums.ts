import type { Database } from "bun:sqlite";

/** Each sum as the ledger keeps it, and the same sum over the calls that it should come from. */
const SUMS = [
  {
    name: "key_months",
    kept: "select key_id, month, used_tokens from key_months",
    counted: `select key_id, month, sum(input_tokens + output_tokens)
      from calls where state in ('posted', 'expired') group by 1, 2`,
  },
  {
    name: "org_months",
    kept: "select organization_id, month, cost_microcents from org_months",
    counted: `select organization_id, month, sum(cost_microcents)
      from calls where state in ('posted', 'expired') group by 1, 2`,
  },
  { name: "usage_hours", ...usage("usage_hours", "hour", 3_600_000) },
  { name: "usage_days", ...usage("usage_days", "day", 86_400_000) },
];

/** Returns the sums of a period, and how they come from calls. */
function usage(table: string, period: string, periodMs: number) {
  return {
    kept: `select organization_id, ${period}, key_id, provider, requested_model, calls,
        estimated_calls, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens,
        reasoning_tokens, cost_microcents from ${table}`,
    counted: `select organization_id, admitted_at_ms / ${periodMs}, key_id, provider,
        requested_model, count(*), sum(estimated), sum(input_tokens), sum(cache_read_tokens),
        sum(cache_write_tokens), sum(output_tokens), sum(reasoning_tokens), sum(cost_microcents)
      from calls where state in ('posted', 'expired') group by 1, 2, 3, 4, 5`,
  };
}

/** What every row of `calls` must satisfy, as the condition of the rows that do not. */
const ROW_RULES = {
  "is charged below zero": "cost_microcents < 0 or input_tokens < 0 or output_tokens < 0",
  "is open and has an end": "state = 'pending' and (ended_at_ms is not null or ending is not null)",
  "is closed and has no end": "state <> 'pending' and ended_at_ms is null",
  "is void and charged": "state = 'voided' and (cost_microcents or input_tokens or output_tokens)",
  "expired and is not marked as estimated": "state = 'expired' and estimated = 0",
  "is in no known state": "state not in ('pending', 'posted', 'voided', 'expired')",
} as const;

/** Returns a function that looks whether the ledger's sums are those of its calls, and says where not. */
export function prepareSumFaults(database: Database): () => string[] {
  const sums = SUMS.map(({ name, kept, counted }) => ({
    name,
    extra: database.prepare<Record<string, unknown>, []>(`${kept} except ${counted}`),
    missing: database.prepare<Record<string, unknown>, []>(
      `select * from (${counted}) except ${kept}`,
    ),
  }));
  const broken = database.prepare<{ id: string; what: string }, []>(
    `select id, what from (select id, case ${Object.entries(ROW_RULES)
      .map(([what, condition]) => `when ${condition} then '${what}'`)
      .join(" ")} end as what from calls) where what is not null`,
  );
  return () => [
    ...sums.flatMap(({ name, extra, missing }) => [
      ...extra.all().map((row) => `${name} keeps ${JSON.stringify(row)}, which no calls add up to`),
      ...missing.all().map((row) => `${name} lacks ${JSON.stringify(row)}, which calls add up to`),
    ]),
    ...broken.all().map(({ id, what }) => `call ${id} ${what}`),
  ];
}
