import { expect, test } from "bun:test";
import { groqReasoning } from "../../src/providers/groq_reasoning.ts";

const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max", "default"];
const MODELS: Record<string, string> = {
  "openai/gpt-oss-120b": "low low low medium high high high default",
  "qwen/qwen3-32b": "none default default default default default default default",
  "qwen/qwen3.6-27b": "none default default default default default default default",
  "qwen/qwen3.8-27b": "none low low medium high high high default",
};

test.each(Object.entries(MODELS))("%s is asked for an effort it has", (model, efforts) => {
  const { reasons, effort } = groqReasoning(model);
  expect(reasons).toBe(true);
  const sent = EFFORTS.map((value) => effort(value, "reasoning_effort"));
  expect(sent).toEqual(efforts.split(" ").map((value) => ({ name: "reasoning_effort", value })));
});

test("a model that does not reason is asked for no effort", () => {
  const { reasons, effort } = groqReasoning("llama-3.3-70b-versatile");
  expect(reasons).toBe(false);
  expect(effort("high", "reasoning_effort")).toBe("drop");
});
