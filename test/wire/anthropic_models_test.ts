import { expect, test } from "bun:test";
import { anthropicModel } from "../../src/wire/anthropic_models.ts";

type Row = readonly [
  name: string,
  outputTokensMax: number,
  sampling: boolean,
  thinking: string,
  forcedToolChoice: boolean,
  jsonSchema: boolean,
  highestEffort: string,
  prefill: boolean,
];

const ROWS: readonly Row[] = [
  ["claude-sonnet-5-5", 128000, false, "adaptive between_tools", false, true, "max", false],
  [
    "claude-sonnet-5-5-20261001",
    128000,
    false,
    "adaptive between_tools",
    false,
    true,
    "max",
    false,
  ],
  ["claude-opus-5-5", 128000, false, "adaptive", false, true, "max", false],
  ["claude-haiku-5-5", 128000, false, "adaptive disabled", true, true, "max", false],
  ["claude-opus-5", 128000, false, "adaptive disabled", true, true, "max", false],
  ["claude-fable-5-1", 128000, false, "adaptive", false, true, "max", false],
  ["claude-fable-5-2", 128000, false, "adaptive", false, true, "max", false],
  ["claude-fable-5", 128000, false, "adaptive", true, true, "max", false],
  ["claude-mythos-5", 128000, false, "adaptive", true, true, "max", false],
  ["claude-opus-4-8", 128000, false, "adaptive disabled", true, true, "max", false],
  ["claude-opus-4-7", 128000, false, "adaptive disabled", true, true, "max", false],
  ["claude-sonnet-5", 128000, false, "adaptive disabled", true, true, "max", false],
  ["claude-sonnet-4-6", 128000, true, "adaptive enabled disabled", true, true, "max", false],
  ["claude-opus-4-6", 128000, true, "adaptive enabled disabled", true, true, "max", false],
  ["claude-sonnet-4-5-20250929", 64000, true, "enabled disabled", true, true, "", true],
  ["claude-opus-4-5", 64000, true, "enabled disabled", true, true, "", true],
  ["claude-haiku-4-5-20251001", 64000, true, "enabled disabled", true, true, "", true],
  ["claude-opus-4-1-20250805", 32000, true, "enabled", true, true, "", true],
  ["claude-sonnet-4-20250514", 64000, true, "enabled", true, false, "", true],
  ["claude-sonnet-4@20250514", 64000, true, "enabled", true, false, "", true],
  ["claude-opus-4-20250514", 32000, true, "enabled", true, false, "", true],
  ["claude-3-5-sonnet-20241022", 4096, true, "", true, false, "", true],
  ["claude-2.1", 4096, true, "", true, false, "", true],
  ["claude-instant-1.2", 4096, true, "", true, false, "", true],
  ["eu.claude-opus-5-5", 128000, false, "adaptive", false, true, "max", false],
  // Not known yet: most like the newest.
  ["claude-opus-4-9", 128000, false, "adaptive disabled", true, true, "max", false],
  ["claude-saga-7", 128000, false, "adaptive disabled", true, true, "max", false],
  // Of somebody else behind the same wire: least is assumed.
  ["glm-7", 4096, true, "", true, false, "", true],
];

for (const [name, ...abilities] of ROWS) {
  test(`the abilities of ${name}`, () => {
    const model = anthropicModel(name);
    expect([
      model.outputTokensMax,
      model.sampling,
      model.thinking.join(" "),
      model.forcedToolChoice,
      model.jsonSchema,
      model.efforts.at(-1) ?? "",
      model.prefill,
    ]).toEqual(abilities);
  });
}

test("only the 4.6 models lack the effort xhigh", () => {
  const lacking = ROWS.map(([name]) => name).filter((name) => {
    const { efforts } = anthropicModel(name);
    return efforts.length > 0 && !efforts.includes("xhigh");
  });
  expect(lacking).toEqual(["claude-sonnet-4-6", "claude-opus-4-6"]);
});
