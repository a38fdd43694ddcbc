import * as v from "valibot";
import type { JsonObject } from "../std/json.ts";
import { messagesProblem } from "./anthropic_check_messages.ts";
import { schemaProblem } from "./anthropic_check_schema.ts";
import { type ModelRules, modelRules } from "./anthropic_models.ts";
import { blocksOf, MessagesRequest } from "./anthropic_request.ts";
import { anthropicRefusal, type Refusal } from "./refusal.ts";

/** Refuses a Messages request that Anthropic would refuse, or returns it typed. */
export function checkMessages(
  body: JsonObject,
): { request: MessagesRequest } | { refusal: Refusal } {
  const parsed = v.safeParse(MessagesRequest, body);
  if (!parsed.success) return { refusal: anthropicRefusal(400, fieldProblem(parsed.issues[0])) };
  const request = parsed.output;
  const rules = modelRules(request.model);
  const problem =
    messagesProblem(request, rules) ??
    toolsProblem(request, rules) ??
    samplingProblem(request, rules) ??
    thinkingProblem(request, rules) ??
    outputProblem(request, rules);
  return problem === null ? { request } : { refusal: anthropicRefusal(400, problem) };
}

function fieldProblem(issue: v.BaseIssue<unknown>): string {
  const path = issue.path?.map((item) => String(item.key)).join(".") ?? "body";
  if (issue.expected === "never") return `${path}: Extra inputs are not permitted`;
  if (issue.received === "undefined") return `${path}: Field required`;
  return `${path}: ${issue.message}`;
}

function toolsProblem(request: MessagesRequest, rules: ModelRules): string | null {
  const { tools = [], tool_choice: choice } = request;
  if (choice !== undefined && tools.length === 0)
    return "tool_choice: tool_choice may only be specified while providing tools.";
  const names = tools.map((tool) => tool.name);
  if (new Set(names).size < names.length) return "tools: Tool names must be unique.";
  for (const [index, tool] of tools.entries()) {
    const root = tool.input_schema;
    if ("oneOf" in root || "allOf" in root || "anyOf" in root)
      return `tools.${index}.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level`;
  }
  if (choice?.type !== "any" && choice?.type !== "tool") return null;
  if (!rules.forcedTool)
    return 'tool_choice: type "tool" and "any" are not supported for this model.';
  if (choice.type === "tool" && !names.includes(choice.name))
    return `tool_choice.tool.name: Tool '${choice.name}' not found in provided tools`;
  if (request.thinking?.type === "enabled")
    return "Thinking may not be enabled when tool_choice forces tool use.";
  return null;
}

function samplingProblem(request: MessagesRequest, rules: ModelRules): string | null {
  const { temperature, top_p: topP, top_k: topK } = request;
  if (!rules.sampling) {
    const unusual = (temperature ?? 1) !== 1 || (topP ?? 1) < 0.99 || topK !== undefined;
    return unusual ? "temperature, top_p and top_k are not supported for this model." : null;
  }
  const exclusive = request.model.includes("-4-5") || request.model.includes("-4-6");
  if (exclusive && temperature !== undefined && topP !== undefined)
    return "`temperature` and `top_p` cannot both be specified for this model. Please use only one.";
  if (request.thinking?.type !== "enabled" && request.thinking?.type !== "adaptive") return null;
  if ((temperature ?? 1) !== 1 || topK !== undefined)
    return "`temperature` may only be set to 1 when thinking is enabled, and `top_k` may not be set.";
  return null;
}

function thinkingProblem(request: MessagesRequest, rules: ModelRules): string | null {
  const { thinking } = request;
  if (thinking === undefined) return null;
  if (!rules.thinking.includes(thinking.type))
    return `thinking.type: "${thinking.type}" is not supported for this model.`;
  if (thinking.type === "enabled" && thinking.budget_tokens >= request.max_tokens)
    return "`max_tokens` must be greater than `thinking.budget_tokens`.";
  if (thinking.type === "enabled" && calledWithoutThought(request))
    return "Expected `thinking` or `redacted_thinking`, but found `tool_use`, in the last assistant message.";
  const effort = request.output_config?.effort;
  const quiet = thinking.type === "disabled" || thinking.type === "between_tools";
  if (quiet && (effort === "xhigh" || effort === "max"))
    return `thinking.type: "${thinking.type}" cannot be combined with effort "${effort}".`;
  return null;
}

function calledWithoutThought(request: MessagesRequest): boolean {
  const spoken = request.messages.findLast((message) => message.role === "assistant");
  const types = spoken === undefined ? [] : blocksOf(spoken).map((block) => block.type);
  return types.includes("tool_use") && types[0]?.endsWith("thinking") !== true;
}

function outputProblem(request: MessagesRequest, rules: ModelRules): string | null {
  if (request.max_tokens > rules.outputTokensMax)
    return `max_tokens: ${request.max_tokens} > ${rules.outputTokensMax}, which is the maximum allowed number of output tokens for ${request.model}`;
  if (request.stop_sequences?.some((stop) => stop.trim() === ""))
    return "stop_sequences: each stop sequence must contain non-whitespace";
  const { effort, format } = request.output_config ?? {};
  if (effort != null && !rules.efforts.includes(effort))
    return `output_config.effort: "${effort}" is not supported for this model.`;
  if (format == null) return null;
  if (!rules.jsonSchema) return "output_config.format: not supported for this model.";
  return schemaProblem(format.schema as JsonObject);
}
