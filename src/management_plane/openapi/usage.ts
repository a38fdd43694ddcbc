import * as v from "valibot";
import { answer, members, type RouteGroup } from "../../std/route_description.ts";
import { USAGE_GROUPS } from "../../store/usage_report.ts";
import type { ManagementErrorCode } from "../error_response.ts";
import { Query } from "../usage.ts";
import { count, EXAMPLE_PROVIDER, label, provider, time, word } from "./shapes.ts";

/** What one group used at one provider. */
export const UsageRow = v.strictObject({
  group_key: label(
    "The group: `provider/model`, the id of a key, a provider, or when an hour or a UTC day begins",
  ),
  provider: provider("Where the calls went"),
  calls: count("Calls that were charged"),
  estimated_calls: count("Those of them whose usage no provider reported"),
  input_tokens: count("All input, cached tokens included"),
  cache_read_tokens: count("The part of the input that a cache answered"),
  cache_write_tokens: count("The part of the input written to a cache"),
  output_tokens: count("All output, reasoning included"),
  reasoning_tokens: count("The part of the output spent on reasoning"),
  total_tokens: count("Input and output: what a token ceiling counts"),
  cost_microcents: count("The cost, in microcents: 10^-8 US dollars"),
});

/** A report of usage. */
export const UsageReport = v.strictObject({
  from: time("Calls admitted from here on count"),
  to: time("Calls admitted before count"),
  group_by: word(USAGE_GROUPS, "What the rows are summed up by"),
  rows: v.array(UsageRow),
});

export const usage: RouteGroup<ManagementErrorCode> = {
  name: "Usage",
  about:
    "What an organization used and what it cost. Every call stands in it once, by when it was admitted.",
  schemas: { UsageRow, UsageReport },
  routes: {
    "GET /organizations/{orgId}/inference/usage": {
      id: "getUsage",
      summary: "Report usage",
      about:
        "Exact to the millisecond as long as calls are kept, and to the hour from then on. Calls in flight are not in it yet.",
      query: members(Query, {
        from: "Where the report begins; the start of this UTC month by default",
        to: "Where it ends; now by default",
        group_by: "What to sum up by",
      }),
      answers: {
        200: answer("The report", UsageReport, {
          from: "2026-06-01T00:00:00Z",
          to: "2026-06-15T12:00:00Z",
          group_by: "model",
          rows: [
            {
              group_key: "openai/gpt-4o-mini",
              provider: EXAMPLE_PROVIDER,
              calls: 412,
              estimated_calls: 1,
              input_tokens: 310_400,
              cache_read_tokens: 96_000,
              cache_write_tokens: 0,
              output_tokens: 72_150,
              reasoning_tokens: 0,
              total_tokens: 382_550,
              cost_microcents: 8_265_000,
            },
          ],
        }),
      },
      errors: [],
    },
  },
};
