import { DEFAULT_OUTPUT_TOKENS } from "../domain/estimate.ts";
import { invalidValue, type ProxyError } from "../domain/errors.ts";
import { isJsonObject, type JsonObject } from "../std/json.ts";
import type { Effort, Thinking, ThinkingDisplay } from "./anthropic.ts";
import type { AnthropicModel } from "./anthropic_models.ts";
import { expected, given } from "./openai_to_anthropic_fields.ts";

/** The least that upstream accepts as a budget for thinking, in tokens. */
const BUDGET_TOKENS_MIN = 1_024;

/** Which part of a model's longest output an effort may spend on thinking. */
const BUDGET_SHARES = { minimal: 0.02, low: 0.1, medium: 0.3, high: 0.6, xhigh: 0.9, max: 0.95 };

type AskedEffort = keyof typeof BUDGET_SHARES | "none";
const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;

/** What the rest of a request means for thinking. */
export interface ReasoningContext {
  readonly model: AnthropicModel;
  /** The field that forces a tool call, if one does. */
  readonly forcedBy: string | null;
  /** Whether the last turn calls tools although no thinking came with the conversation. */
  readonly callsWithoutThinking: boolean;
  readonly prefilled: boolean;
}

export interface Reasoning {
  readonly thinking: Thinking | null;
  readonly effort: Effort | null;
  readonly maxTokens: number;
  readonly dropped: readonly string[];
}

/**
 * Translates `reasoning_effort`, the extension `thinking` and the limit of output tokens, which includes
 * thinking on both wires.
 *
 * A call that does not limit its output gets the default limit, and on top of it what thinking may take:
 * else thinking would leave no room for the answer.
 *
 * @throws {ProxyError} If a value is unknown to the model, or two of them exclude each other.
 */
export function translateReasoning(body: JsonObject, context: ReasoningContext): Reasoning {
  const { model } = context;
  const limit = outputLimit(body, model);
  const effort = readEffort(body);
  const asked = readThinking(body);
  const plan =
    model.thinking.length === 0
      ? { thinking: null, effort: null, room: 0, source: null }
      : model.thinking.includes("adaptive")
        ? adaptive(effort, asked, model)
        : budgeted(effort, asked, model);
  const dropped = new Set<string>();
  if (model.thinking.length === 0) {
    if (effort !== null && effort !== "none") dropped.add("reasoning_effort");
    if (asked !== null && asked.type !== "disabled") dropped.add("thinking");
  }
  const maxTokens = limit ?? Math.min(model.outputTokensMax, DEFAULT_OUTPUT_TOKENS + plan.room);
  const thinking = fitted(plan, maxTokens, context);
  if (plan.thinking !== null && thinking === null && plan.source !== null) dropped.add(plan.source);
  return { thinking, effort: plan.effort, maxTokens, dropped: [...dropped] };
}

/** Whether a client that sends this request can read thinking blocks and will send them back. */
export function asksForReasoning(body: JsonObject): boolean {
  return given(body, "thinking") !== undefined || given(body, "reasoning_effort") !== undefined;
}

interface Plan {
  readonly thinking: Thinking | null;
  readonly effort: Effort | null;
  /** Tokens that thinking may take beside the answer. */
  readonly room: number;
  /** The field that asked for `thinking`. */
  readonly source: "thinking" | "reasoning_effort" | null;
}

function adaptive(
  asked: AskedEffort | null,
  extension: Thinking | null,
  model: AnthropicModel,
): Plan {
  if (extension === null && asked === null) {
    const always = !model.thinking.includes("disabled");
    return { thinking: null, effort: null, room: always ? share("low", model) : 0, source: null };
  }
  const off = extension === null ? asked === "none" : extension.type === "disabled";
  if (off || extension?.type === "between_tools") return withoutThinking(asked, extension, model);
  if (asked === "none") throw contradiction();
  const effort = asked === null ? null : nearestEffort(asked, model);
  if (extension === null) {
    const thinking = { type: "adaptive", display: "summarized" } as const;
    return { thinking, effort, room: share(asked ?? "high", model), source: "reasoning_effort" };
  }
  if (extension.type === "enabled") {
    const { budget_tokens: room, display = "summarized" } = extension;
    const kept = model.thinking.includes("enabled");
    const thinking: Thinking = kept ? extension : { type: "adaptive", display };
    return { thinking, effort, room, source: "thinking" };
  }
  return { thinking: extension, effort, room: share(asked ?? "high", model), source: "thinking" };
}

/** Switches thinking off as far as the model lets it be. */
function withoutThinking(
  asked: AskedEffort | null,
  extension: Thinking | null,
  model: AnthropicModel,
): Plan {
  const between = extension?.type === "between_tools";
  if (between && !model.thinking.includes("between_tools")) {
    throw expected("thinking.type", "a kind of thinking that this model has");
  }
  const effort = asked === null || asked === "none" ? null : nearestEffort(asked, model);
  if (effort === "xhigh" || effort === "max") throw contradiction();
  const kinds = between ? (["between_tools"] as const) : (["disabled", "between_tools"] as const);
  const type = kinds.find((kind) => model.thinking.includes(kind));
  if (type !== undefined) return { thinking: { type }, effort, room: 0, source: null };
  return {
    thinking: null,
    effort: effort ?? "low",
    room: share(effort ?? "low", model),
    source: null,
  };
}

function budgeted(
  asked: AskedEffort | null,
  extension: Thinking | null,
  model: AnthropicModel,
): Plan {
  const source = extension === null ? "reasoning_effort" : "thinking";
  if (extension?.type === "between_tools") {
    throw expected("thinking.type", "a kind of thinking that this model has");
  }
  const off =
    extension === null ? asked === null || asked === "none" : extension.type === "disabled";
  if (off) return { thinking: null, effort: null, room: 0, source: null };
  if (asked === "none") throw contradiction();
  const enabled = extension?.type === "enabled" ? extension : null;
  const budget = enabled?.budget_tokens ?? share(asked ?? "medium", model);
  const thinking: Thinking = { type: "enabled", budget_tokens: budget };
  if (enabled?.display !== undefined) thinking.display = enabled.display;
  return { thinking, effort: null, room: budget, source };
}

/** Fits planned thinking to the rest of the request; null where it has to give way. */
function fitted(plan: Plan, maxTokens: number, context: ReasoningContext): Thinking | null {
  const { thinking } = plan;
  if (thinking === null || thinking.type === "disabled" || thinking.type === "between_tools") {
    return thinking;
  }
  const { forcedBy } = context;
  if (forcedBy !== null && plan.source === "reasoning_effort") return null;
  if (thinking.type === "adaptive") return thinking;
  if (forcedBy !== null) {
    const message = `Cannot translate "${forcedBy}": a model that thinks cannot be forced to call a tool`;
    throw invalidValue(forcedBy, message);
  }
  // A model with a budget must find its thinking in front of the calls it made.
  if (context.callsWithoutThinking || context.prefilled || maxTokens <= BUDGET_TOKENS_MIN)
    return null;
  return { ...thinking, budget_tokens: Math.min(thinking.budget_tokens, maxTokens - 1) };
}

function outputLimit(body: JsonObject, model: AnthropicModel): number | null {
  const newer = given(body, "max_completion_tokens");
  const older = given(body, "max_tokens");
  if (newer !== undefined && older !== undefined) {
    throw invalidValue(
      "max_tokens",
      'Cannot translate "max_tokens": "max_completion_tokens" is given too',
    );
  }
  const param = newer === undefined ? "max_tokens" : "max_completion_tokens";
  const limit = newer ?? older;
  if (limit === undefined) return null;
  const max = model.outputTokensMax;
  if (typeof limit === "number" && Number.isInteger(limit) && limit >= 1 && limit <= max)
    return limit;
  throw expected(param, `a whole number from 1 to ${max}, the most that this model gives`);
}

function readEffort(body: JsonObject): AskedEffort | null {
  const value = given(body, "reasoning_effort");
  // Some clients send the object of another of OpenAI's formats.
  const effort = isJsonObject(value) ? given(value, "effort") : value;
  const isSummary = isJsonObject(value) && "summary" in value;
  if (effort === undefined && (value === undefined || isSummary)) return null;
  const known = EFFORTS.find((each) => each === effort);
  if (known === undefined) throw expected("reasoning_effort", `one of ${EFFORTS.join(", ")}`);
  return known;
}

function readThinking(body: JsonObject): Thinking | null {
  const value = given(body, "thinking");
  if (value === undefined) return null;
  if (!isJsonObject(value)) throw expected("thinking", "an object");
  const display = given(value, "display");
  if (display !== undefined && display !== "summarized" && display !== "omitted") {
    throw expected("thinking.display", '"summarized" or "omitted"');
  }
  const shown: { display?: ThinkingDisplay } = display === undefined ? {} : { display };
  switch (value["type"]) {
    case "adaptive":
      return { type: "adaptive", ...shown };
    case "disabled":
      return { type: "disabled" };
    case "between_tools":
      return { type: "between_tools" };
    case "enabled":
      return { type: "enabled", budget_tokens: readBudget(value), ...shown };
    default:
      throw expected("thinking.type", '"adaptive", "enabled", "disabled" or "between_tools"');
  }
}

function readBudget(thinking: JsonObject): number {
  const budget = thinking["budget_tokens"];
  const valid = typeof budget === "number" && Number.isSafeInteger(budget);
  if (valid && budget >= BUDGET_TOKENS_MIN) return budget;
  throw expected("thinking.budget_tokens", `a whole number from ${BUDGET_TOKENS_MIN}`);
}

function share(effort: keyof typeof BUDGET_SHARES | "none", model: AnthropicModel): number {
  if (effort === "none") return 0;
  return Math.max(BUDGET_TOKENS_MIN, Math.round(BUDGET_SHARES[effort] * model.outputTokensMax));
}

/** Returns the effort itself or, where the model lacks it, the next lower one. */
function nearestEffort(effort: Exclude<AskedEffort, "none">, model: AnthropicModel): Effort {
  const wanted = effort === "minimal" ? "low" : effort;
  const order: readonly Effort[] = ["low", "medium", "high", "xhigh", "max"];
  const upTo = order.slice(0, order.indexOf(wanted) + 1);
  return upTo.findLast((each) => model.efforts.includes(each)) ?? "low";
}

function contradiction(): ProxyError {
  return invalidValue(
    "reasoning_effort",
    'Cannot translate "reasoning_effort": "thinking" excludes it',
  );
}
