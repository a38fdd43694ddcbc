import { describe, expect, test } from "bun:test";
import type { Json, JsonObject } from "../../src/std/json.ts";
import type { Thinking } from "../../src/wire/anthropic.ts";
import { anthropicModel } from "../../src/wire/anthropic_models.ts";
import {
  asksForReasoning,
  type Reasoning,
  type ReasoningContext,
  translateReasoning,
} from "../../src/wire/openai_to_anthropic_reasoning.ts";

const ADAPTIVE: Thinking = { type: "adaptive", display: "summarized" };

function reason(model: string, body: JsonObject, more: Partial<ReasoningContext> = {}): Reasoning {
  return translateReasoning(body, {
    model: anthropicModel(model),
    forcedBy: null,
    callsWithoutThinking: false,
    prefilled: false,
    ...more,
  });
}

function budget(tokens: number): Thinking {
  return { type: "enabled", budget_tokens: tokens };
}

type Row = readonly [model: string, effort: string, thinking: Thinking | null, sent: string | null];

/** With a limit that leaves every budget whole. */
const EFFORTS: readonly Row[] = [
  ["claude-opus-4-8", "none", { type: "disabled" }, null],
  ["claude-opus-4-8", "minimal", ADAPTIVE, "low"],
  ["claude-opus-4-8", "low", ADAPTIVE, "low"],
  ["claude-opus-4-8", "medium", ADAPTIVE, "medium"],
  ["claude-opus-4-8", "high", ADAPTIVE, "high"],
  ["claude-opus-4-8", "xhigh", ADAPTIVE, "xhigh"],
  ["claude-opus-4-8", "max", ADAPTIVE, "max"],
  ["claude-sonnet-4-6", "xhigh", ADAPTIVE, "high"],
  ["claude-sonnet-4-6", "max", ADAPTIVE, "max"],
  ["claude-sonnet-4-6", "none", { type: "disabled" }, null],
  ["claude-sonnet-5-5", "none", { type: "between_tools" }, null],
  ["claude-sonnet-5-5", "high", ADAPTIVE, "high"],
  ["claude-opus-5-5", "none", null, "low"],
  ["claude-fable-5", "none", null, "low"],
  ["claude-haiku-4-5", "none", null, null],
  ["claude-haiku-4-5", "minimal", budget(1280), null],
  ["claude-haiku-4-5", "low", budget(6400), null],
  ["claude-haiku-4-5", "medium", budget(19200), null],
  ["claude-haiku-4-5", "high", budget(38400), null],
  ["claude-haiku-4-5", "xhigh", budget(57600), null],
  ["claude-haiku-4-5", "max", budget(60800), null],
  ["claude-opus-4-1", "minimal", budget(1024), null],
  ["claude-3-haiku", "none", null, null],
];

describe("reasoning_effort", () => {
  test.each(EFFORTS)("on %s: %s", (model, reasoning_effort, thinking, effort) => {
    const max_tokens = anthropicModel(model).outputTokensMax;
    const given = reason(model, { reasoning_effort, max_tokens });
    expect<unknown>(given).toEqual({ thinking, effort, maxTokens: max_tokens, dropped: [] });
  });

  test("is asked for by neither null nor a wish about the summary alone", () => {
    for (const reasoning_effort of [null, { summary: "auto" }, { effort: null, summary: "auto" }]) {
      expect(reason("claude-opus-4-8", { reasoning_effort })).toEqual({
        thinking: null,
        effort: null,
        maxTokens: 4096,
        dropped: [],
      });
    }
  });

  const others: Json[] = ["", "disabled", "ultra", 7, true, {}, { effort: "ultra" }, ["low"]];
  for (const reasoning_effort of others) {
    test(`${JSON.stringify(reasoning_effort)} is refused`, () => {
      for (const model of ["claude-opus-4-8", "claude-haiku-4-5", "claude-3-haiku"]) {
        expect(() => reason(model, { reasoning_effort })).toThrow(
          expect.objectContaining({ param: "reasoning_effort", code: "invalid_value" }),
        );
      }
    });
  }

  test("is dropped by name where the model does not think", () => {
    expect(reason("claude-3-haiku", { reasoning_effort: "low" }).dropped).toEqual([
      "reasoning_effort",
    ]);
  });
});

describe("the default limit of output", () => {
  test.each([
    ["claude-opus-4-8", {}, 4096],
    ["claude-3-haiku", {}, 4096],
    ["claude-haiku-4-5", {}, 4096],
    ["claude-opus-5-5", {}, 4096 + 12800],
    ["claude-opus-4-8", { reasoning_effort: "none" }, 4096],
    ["claude-opus-4-8", { reasoning_effort: "high" }, 4096 + 76800],
    ["claude-opus-4-8", { reasoning_effort: "max" }, 4096 + 121600],
    ["claude-haiku-4-5", { reasoning_effort: "max" }, 64000],
    ["claude-haiku-4-5", { thinking: { type: "enabled", budget_tokens: 2000 } }, 6096],
    ["claude-opus-4-8", { thinking: { type: "disabled" } }, 4096],
  ])("on %s with %j", (model, body, maxTokens) => {
    expect(reason(model, body).maxTokens).toBe(maxTokens);
  });
});

describe("a limit of output", () => {
  test.each([
    [{ max_tokens: 0 }, "max_tokens"],
    [{ max_tokens: -5 }, "max_tokens"],
    [{ max_tokens: 1.5 }, "max_tokens"],
    [{ max_tokens: "5" }, "max_tokens"],
    [{ max_tokens: 64001 }, "max_tokens"],
    [{ max_completion_tokens: 64001 }, "max_completion_tokens"],
    [{ max_completion_tokens: 5, max_tokens: 5 }, "max_tokens"],
  ])("%j is refused", (body, param) => {
    expect(() => reason("claude-haiku-4-5", body)).toThrow(
      expect.objectContaining({ param, code: "invalid_value" }),
    );
  });

  test("up to the model's own is sent", () => {
    expect(reason("claude-haiku-4-5", { max_tokens: 64000 }).maxTokens).toBe(64000);
    expect(
      reason("claude-haiku-4-5", { max_tokens: null, max_completion_tokens: 1 }).maxTokens,
    ).toBe(1);
  });
});

describe("the extension thinking", () => {
  test.each<[string, JsonObject, Thinking | null]>([
    ["claude-opus-4-8", { type: "adaptive" }, { type: "adaptive" }],
    [
      "claude-opus-4-8",
      { type: "adaptive", display: "omitted" },
      { type: "adaptive", display: "omitted" },
    ],
    ["claude-opus-4-8", { type: "enabled", budget_tokens: 2000 }, ADAPTIVE],
    ["claude-opus-4-8", { type: "disabled" }, { type: "disabled" }],
    ["claude-sonnet-4-6", { type: "enabled", budget_tokens: 2000 }, budget(2000)],
    ["claude-sonnet-5-5", { type: "between_tools" }, { type: "between_tools" }],
    ["claude-sonnet-5-5", { type: "disabled" }, { type: "between_tools" }],
    ["claude-opus-5-5", { type: "disabled" }, null],
    ["claude-haiku-4-5", { type: "adaptive" }, budget(8999)],
    ["claude-haiku-4-5", { type: "enabled", budget_tokens: 9000 }, budget(8999)],
    ["claude-haiku-4-5", { type: "disabled" }, null],
    ["claude-3-haiku", { type: "disabled" }, null],
  ])("on %s: %j", (model, thinking, sent) => {
    const max_tokens = model === "claude-3-haiku" ? 4096 : 9000;
    expect<unknown>(reason(model, { thinking, max_tokens }).thinking).toEqual(sent);
  });

  test("is dropped by name where the model does not think", () => {
    const thinking = { type: "adaptive" };
    expect(reason("claude-3-haiku", { thinking }).dropped).toEqual(["thinking"]);
  });

  test.each([
    ["claude-opus-4-8", true, "thinking"],
    ["claude-opus-4-8", {}, "thinking.type"],
    ["claude-opus-4-8", { type: "deep" }, "thinking.type"],
    ["claude-opus-4-8", { type: "between_tools" }, "thinking.type"],
    ["claude-haiku-4-5", { type: "between_tools" }, "thinking.type"],
    ["claude-haiku-4-5", { type: "enabled" }, "thinking.budget_tokens"],
    ["claude-haiku-4-5", { type: "enabled", budget_tokens: 1023 }, "thinking.budget_tokens"],
    ["claude-haiku-4-5", { type: "adaptive", display: "full" }, "thinking.display"],
  ])("on %s: %j is refused", (model, thinking, param) => {
    expect(() => reason(model, { thinking })).toThrow(expect.objectContaining({ param }));
  });

  test.each([
    [{ type: "disabled" }, "xhigh"],
    [{ type: "disabled" }, "max"],
    [{ type: "adaptive" }, "none"],
  ])("%j contradicts the effort %s", (thinking, reasoning_effort) => {
    expect(() => reason("claude-opus-4-8", { thinking, reasoning_effort })).toThrow(
      expect.objectContaining({ param: "reasoning_effort" }),
    );
  });

  test("goes together with an effort", () => {
    const body = { thinking: { type: "disabled" }, reasoning_effort: "high" };
    expect(reason("claude-opus-4-8", body)).toMatchObject({
      thinking: { type: "disabled" },
      effort: "high",
    });
  });
});

describe("thinking gives way", () => {
  const effort = { reasoning_effort: "low", max_tokens: 9000 };
  const extension = { thinking: { type: "enabled", budget_tokens: 2000 }, max_tokens: 9000 };

  test("to a forced tool, and the effort stays where it can", () => {
    const forced = { forcedBy: "tool_choice" };
    expect(reason("claude-haiku-4-5", effort, forced)).toMatchObject({
      thinking: null,
      effort: null,
      dropped: ["reasoning_effort"],
    });
    expect(reason("claude-opus-4-8", effort, forced)).toMatchObject({
      thinking: null,
      effort: "low",
      dropped: ["reasoning_effort"],
    });
    expect(() => reason("claude-haiku-4-5", extension, forced)).toThrow(
      expect.objectContaining({ param: "tool_choice" }),
    );
  });

  test("to calls that come without their thinking, and to an answer that has begun", () => {
    for (const context of [{ callsWithoutThinking: true }, { prefilled: true }]) {
      expect(reason("claude-haiku-4-5", effort, context)).toMatchObject({
        thinking: null,
        dropped: ["reasoning_effort"],
      });
      expect(reason("claude-haiku-4-5", extension, context)).toMatchObject({
        thinking: null,
        dropped: ["thinking"],
      });
    }
    expect(reason("claude-opus-4-8", effort, { callsWithoutThinking: true })).toMatchObject({
      thinking: ADAPTIVE,
      dropped: [],
    });
  });

  test("to a limit below any budget", () => {
    expect(reason("claude-haiku-4-5", { ...effort, max_tokens: 1024 })).toMatchObject({
      thinking: null,
      maxTokens: 1024,
      dropped: ["reasoning_effort"],
    });
    expect(reason("claude-haiku-4-5", { ...effort, max_tokens: 1025 }).thinking).toEqual(
      budget(1024),
    );
  });
});

test("a client shows by either field that it knows about thinking", () => {
  expect(asksForReasoning({})).toBe(false);
  expect(asksForReasoning({ thinking: null, reasoning_effort: null })).toBe(false);
  expect(asksForReasoning({ thinking: { type: "disabled" } })).toBe(true);
  expect(asksForReasoning({ reasoning_effort: "low" })).toBe(true);
});
