import { drop, type FieldRule, translated } from "./field_rules.ts";

/** How a model of Groq reasons: whether at all, and what becomes of `reasoning_effort`. */
export interface GroqReasoning {
  readonly reasons: boolean;
  readonly effort: FieldRule;
}

/** The first row whose pattern is part of the model's name counts. Efforts of OpenAI -> efforts of the model. */
const MODELS: readonly (readonly [pattern: string, efforts: Readonly<Record<string, string>>])[] = [
  ["gpt-oss", { none: "low", minimal: "low", xhigh: "high", max: "high" }],
  ["qwen3.8-27b", { minimal: "low", xhigh: "high", max: "high" }],
  [
    "qwen3",
    {
      minimal: "default",
      low: "default",
      medium: "default",
      high: "default",
      xhigh: "default",
      max: "default",
    },
  ],
];

/** Looks up how a model of Groq reasons; those that are not listed do not, and refuse to be asked. */
export function groqReasoning(model: string): GroqReasoning {
  const row = MODELS.find(([pattern]) => model.includes(pattern));
  return row === undefined
    ? { reasons: false, effort: drop }
    : { reasons: true, effort: translated(row[1]) };
}
