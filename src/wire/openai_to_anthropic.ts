import type { JsonObject } from "../std/json.ts";
import type { AnthropicRequest, OutputConfig, TextBlock } from "./anthropic.ts";
import { anthropicModel } from "./anthropic_models.ts";
import { AnthropicStream } from "./anthropic_stream.ts";
import { type AnswerForm, wholeAnswer } from "./anthropic_to_openai.ts";
import { limitCacheBreakpoints } from "./openai_to_anthropic_cache.ts";
import { expected, given, givenText, leaveOutFields } from "./openai_to_anthropic_fields.ts";
import { type AnswerFormat, translateFormat } from "./openai_to_anthropic_format.ts";
import { translateMessages } from "./openai_to_anthropic_messages.ts";
import {
  asksForReasoning,
  type Reasoning,
  translateReasoning,
} from "./openai_to_anthropic_reasoning.ts";
import { translateSampling } from "./openai_to_anthropic_sampling.ts";
import { toolFields, translateTools } from "./openai_to_anthropic_tools.ts";
import type { ClientRequest, Translation } from "./translation.ts";

/**
 * Whole answers longer than this can take longer than networks keep a silent connection open, in output
 * tokens. They are asked for as a stream and put together here.
 */
export const MAX_UNSTREAMED_TOKENS = 21_333;

/**
 * Translates a chat completion call into a call of Anthropic's Messages, and its answer back.
 *
 * The body may ask for a stream although the client did not: `whole` then takes the text of that stream.
 *
 * @throws {ProxyError} If a field cannot be translated; its `param` says which, its message quotes nothing.
 */
export function anthropicTranslation(request: ClientRequest): Translation {
  const { upstream, dropped, form } = translateRequest(request);
  return {
    upstreamBody: JSON.stringify(upstream),
    outputTokensMax: upstream.max_tokens,
    dropped,
    whole: (text) => wholeAnswer(text, form),
    stream: () => new AnthropicStream(form),
  };
}

/** A translated request, and what its answer must look like. */
export interface TranslatedRequest {
  readonly upstream: AnthropicRequest;
  /** Names of the fields left out, in alphabetical order. */
  readonly dropped: readonly string[];
  readonly form: AnswerForm;
}

/** Translates the request alone. @throws {ProxyError} As `anthropicTranslation` does. */
export function translateRequest(request: ClientRequest): TranslatedRequest {
  const { body } = request;
  const parts = translateParts(request);
  const { tooling, conversation, format, reasoning, sampling, tier } = parts;
  const upstream: AnthropicRequest = {
    model: request.upstreamModel,
    max_tokens: reasoning.maxTokens,
    messages: conversation.messages,
    ...systemField(conversation.system, format),
    ...toolFields(tooling, format.tool, conversation.toolNames),
    ...(reasoning.thinking === null ? {} : { thinking: reasoning.thinking }),
    ...outputConfig(reasoning, format),
    ...sampling.fields,
    ...tier.fields,
    ...endUser(request),
  };
  if (request.stream || upstream.max_tokens > MAX_UNSTREAMED_TOKENS) upstream.stream = true;
  limitCacheBreakpoints(upstream);
  const dropped = new Set([
    ...parts.leftOut,
    ...tooling.dropped,
    ...reasoning.dropped,
    ...sampling.dropped,
    ...tier.dropped,
  ]);
  const form = {
    id: `chatcmpl-${request.callId}`,
    createdS: request.createdS,
    model: request.requestedModel,
    includeUsage: request.includeUsage,
    functionCall: tooling.legacy,
    jsonTool: format.tool?.name ?? null,
    thinkingBlocks: asksForReasoning(body) || conversation.hasThinking,
  };
  return { upstream, dropped: [...dropped].toSorted(), form };
}

/** Translates part by part, in an order in which each knows what it depends on. */
function translateParts({ body, upstreamModel }: ClientRequest) {
  const model = anthropicModel(upstreamModel);
  const leftOut = leaveOutFields(body);
  const tooling = translateTools(body, model);
  const conversation = translateMessages(body["messages"], model);
  const format = translateFormat(body, {
    model,
    hasTools: tooling.tools.length > 0,
    toolNames: conversation.toolNames,
  });
  const reasoning = translateReasoning(body, {
    model,
    forcedBy: format.tool === undefined ? tooling.forcedBy : "response_format",
    callsWithoutThinking: conversation.lastTurnCallsTools && !conversation.hasThinking,
    prefilled: conversation.prefilled,
  });
  const { thinking } = reasoning;
  const thinks = thinking?.type === "adaptive" || thinking?.type === "enabled";
  const sampling = translateSampling(body, { model, thinks });
  return { leftOut, tooling, conversation, format, reasoning, sampling, tier: serviceTier(body) };
}

function systemField(
  texts: readonly TextBlock[],
  { instruction }: AnswerFormat,
): Pick<AnthropicRequest, "system"> {
  const system = instruction === undefined ? [...texts] : [...texts, instruction];
  return system.length > 0 ? { system } : {};
}

function outputConfig(
  { effort }: Reasoning,
  { schema }: AnswerFormat,
): Pick<AnthropicRequest, "output_config"> {
  const config: OutputConfig = {};
  if (effort !== null) config.effort = effort;
  if (schema !== undefined) config.format = { type: "json_schema", schema };
  return Object.keys(config).length > 0 ? { output_config: config } : {};
}

/** The provider must not learn who the end users are, only that two calls come from the same one. */
function endUser({ body, pseudonym }: ClientRequest): Pick<AnthropicRequest, "metadata"> {
  const identifier = givenText(body, "safety_identifier", "safety_identifier");
  const name = identifier || givenText(body, "user", "user");
  return name ? { metadata: { user_id: pseudonym(name) } } : {};
}

function serviceTier(body: JsonObject): {
  readonly fields: Pick<AnthropicRequest, "service_tier">;
  readonly dropped: readonly string[];
} {
  switch (given(body, "service_tier")) {
    case undefined:
      return { fields: {}, dropped: [] };
    case "auto":
      return { fields: { service_tier: "auto" }, dropped: [] };
    case "default":
      return { fields: { service_tier: "standard_only" }, dropped: [] };
    case "flex":
    case "scale":
    case "priority":
    case "fast":
      return { fields: {}, dropped: ["service_tier"] };
    default:
      throw expected("service_tier", '"auto", "default", "flex", "scale", "priority" or "fast"');
  }
}
