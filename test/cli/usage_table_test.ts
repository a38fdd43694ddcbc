import { expect, test } from "bun:test";
import { usageTable } from "../../src/cli/usage_table.ts";

test("usage is shown in columns, microcents as dollars", () => {
  const row = { group_key: "openai/gpt-5", calls: 2, input_tokens: 1012, output_tokens: 66 };
  expect(usageTable([{ ...row, cost_microcents: 123_456_700 }]).split("\n")).toEqual([
    "  Usage this month                    calls      input     output       cost",
    "  openai/gpt-5                            2       1012         66  $1.234567",
  ]);
});
