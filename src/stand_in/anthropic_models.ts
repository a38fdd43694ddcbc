/** What a model takes. The table is read from above: the first id that is part of the name counts. */
export interface ModelRules {
  readonly outputTokensMax: number;
  /** Whether temperature, top_p and top_k may differ from their defaults. */
  readonly sampling: boolean;
  readonly thinking: readonly ("adaptive" | "enabled" | "disabled" | "between_tools")[];
  readonly forcedTool: boolean;
  readonly jsonSchema: boolean;
  readonly efforts: readonly string[];
  readonly prefill: boolean;
  /** Whether a message may have the role `system`. */
  readonly systemMessages: boolean;
}

const TO_MAX = ["low", "medium", "high", "xhigh", "max"];
const NEWEST: ModelRules = {
  outputTokensMax: 128_000,
  sampling: false,
  thinking: ["adaptive", "disabled"],
  forcedTool: true,
  jsonSchema: true,
  efforts: TO_MAX,
  prefill: false,
  systemMessages: true,
};
const ALWAYS_THINKS: ModelRules = { ...NEWEST, thinking: ["adaptive"], forcedTool: false };
const OF_4_6: ModelRules = {
  ...NEWEST,
  sampling: true,
  thinking: ["adaptive", "enabled", "disabled"],
  efforts: ["low", "medium", "high", "max"],
  systemMessages: false,
};
const OF_4_5: ModelRules = {
  ...OF_4_6,
  outputTokensMax: 64_000,
  thinking: ["enabled", "disabled"],
  efforts: [],
  prefill: true,
};
const OF_4_0: ModelRules = { ...OF_4_5, jsonSchema: false };
const OLD: ModelRules = { ...OF_4_0, outputTokensMax: 4096, thinking: [] };

const RULES: readonly (readonly [part: string, rules: ModelRules])[] = [
  ["claude-sonnet-5-5", { ...ALWAYS_THINKS, thinking: ["adaptive", "between_tools"] }],
  ["claude-opus-5-5", ALWAYS_THINKS],
  ["claude-haiku-5-5", NEWEST],
  ["claude-opus-5", NEWEST],
  ["claude-fable-5-1", ALWAYS_THINKS],
  ["claude-fable-5-2", ALWAYS_THINKS],
  ["claude-fable-5", { ...ALWAYS_THINKS, forcedTool: true }],
  ["claude-opus-4-8", NEWEST],
  ["claude-opus-4-7", { ...NEWEST, systemMessages: false }],
  ["claude-sonnet-5", NEWEST],
  ["claude-sonnet-4-6", OF_4_6],
  ["claude-opus-4-6", OF_4_6],
  ["claude-opus-4-5", { ...OF_4_5, efforts: ["low", "medium", "high"] }],
  ["claude-sonnet-4-5", OF_4_5],
  ["claude-haiku-4-5", OF_4_5],
  ["claude-opus-4-1", { ...OF_4_5, outputTokensMax: 32_000 }],
  ["claude-sonnet-4", OF_4_0],
  ["claude-opus-4", { ...OF_4_0, outputTokensMax: 32_000 }],
  ["claude-3", OLD],
  ["claude-2", OLD],
  ["claude-instant", OLD],
  ["claude-", NEWEST],
];

/** Returns the rules of a model. */
export function modelRules(model: string): ModelRules {
  return RULES.find(([part]) => model.includes(part))?.[1] ?? OLD;
}
