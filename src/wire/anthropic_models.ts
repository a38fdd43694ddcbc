import type { Effort, Thinking } from "./anthropic.ts";

/** What a model of this wire can be asked for. */
export interface AnthropicModel {
  /** The largest `max_tokens` that it accepts. */
  readonly outputTokensMax: number;
  /** Whether it accepts `temperature` and `top_p` other than their neutral values. */
  readonly sampling: boolean;
  /** The kinds of `thinking` it accepts. Without `adaptive`, thinking takes a budget of tokens. */
  readonly thinking: readonly Thinking["type"][];
  /** Whether a tool may be forced on it. */
  readonly forcedToolChoice: boolean;
  /** Whether it keeps to a JSON schema by itself. */
  readonly jsonSchema: boolean;
  /** The efforts it accepts, from low to high. */
  readonly efforts: readonly Effort[];
  /** Whether the conversation may end with the beginning of its answer. */
  readonly prefill: boolean;
}

const CURRENT: AnthropicModel = {
  outputTokensMax: 128_000,
  sampling: false,
  thinking: ["adaptive", "disabled"],
  forcedToolChoice: true,
  jsonSchema: true,
  efforts: ["low", "medium", "high", "xhigh", "max"],
  prefill: false,
};
const ALWAYS_THINKS: AnthropicModel = { ...CURRENT, thinking: ["adaptive"] };
const NEVER_FORCED: AnthropicModel = { ...ALWAYS_THINKS, forcedToolChoice: false };
const OF_4_6: AnthropicModel = {
  ...CURRENT,
  sampling: true,
  thinking: ["adaptive", "enabled", "disabled"],
  efforts: ["low", "medium", "high", "max"],
};
const OF_4_5: AnthropicModel = {
  ...CURRENT,
  outputTokensMax: 64_000,
  sampling: true,
  thinking: ["enabled", "disabled"],
  efforts: [],
  prefill: true,
};
const OF_4_1: AnthropicModel = { ...OF_4_5, outputTokensMax: 32_000, thinking: ["enabled"] };
const SONNET_4: AnthropicModel = {
  ...OF_4_5,
  thinking: ["enabled"],
  jsonSchema: false,
};
const OPUS_4: AnthropicModel = { ...SONNET_4, outputTokensMax: 32_000 };
const OLD: AnthropicModel = { ...SONNET_4, outputTokensMax: 4_096, thinking: [] };

/** The first row whose text stands in the model's name counts: longer names stand before shorter ones. */
const MODELS: readonly (readonly [part: string, model: AnthropicModel])[] = [
  ["claude-sonnet-5-5", { ...NEVER_FORCED, thinking: ["adaptive", "between_tools"] }],
  ["claude-opus-5-5", NEVER_FORCED],
  ["claude-haiku-5-5", CURRENT],
  ["claude-opus-5", CURRENT],
  ["claude-fable-5-1", NEVER_FORCED],
  ["claude-fable-5-2", NEVER_FORCED],
  ["claude-fable-5", ALWAYS_THINKS],
  ["claude-mythos", ALWAYS_THINKS],
  ["claude-opus-4-8", CURRENT],
  ["claude-opus-4-7", CURRENT],
  ["claude-sonnet-5", CURRENT],
  ["claude-sonnet-4-6", OF_4_6],
  ["claude-opus-4-6", OF_4_6],
  ["claude-sonnet-4-5", OF_4_5],
  ["claude-opus-4-5", OF_4_5],
  ["claude-haiku-4-5", OF_4_5],
  ["claude-opus-4-1", OF_4_1],
  // The first of the 4 family is named by its date, so that a later 4.x is not taken for it.
  ["claude-sonnet-4-0", SONNET_4],
  ["claude-sonnet-4-20", SONNET_4],
  ["claude-sonnet-4@", SONNET_4],
  ["claude-opus-4-0", OPUS_4],
  ["claude-opus-4-20", OPUS_4],
  ["claude-opus-4@", OPUS_4],
  ["claude-3", OLD],
  ["claude-2", OLD],
  ["claude-instant", OLD],
  ["claude-", CURRENT],
];

/** Returns what a model can do. A name not known yet counts as a current model, a foreign one as an old model. */
export function anthropicModel(name: string): AnthropicModel {
  return MODELS.find(([part]) => name.includes(part))?.[1] ?? OLD;
}
