import type { JsonObject } from "../std/json.ts";
import type { AnthropicRequest } from "./anthropic.ts";
import type { AnthropicModel } from "./anthropic_models.ts";
import { expected, given, givenNumber } from "./openai_to_anthropic_fields.ts";

/** As many stop sequences as OpenAI takes. */
const STOP_SEQUENCES_MAX = 4;

export interface Sampling {
  readonly fields: Pick<AnthropicRequest, "temperature" | "top_p" | "stop_sequences">;
  readonly dropped: readonly string[];
}

/**
 * Translates `temperature`, `top_p` and `stop`. Upstream takes temperatures up to 1, one of the two
 * parameters at a time, and neither from a model that thinks or that has given them up.
 *
 * @param thinks Whether this call thinks.
 * @throws {ProxyError} If a value is out of OpenAI's own range.
 */
export function translateSampling(
  body: JsonObject,
  { model, thinks }: { readonly model: AnthropicModel; readonly thinks: boolean },
): Sampling {
  const dropped: string[] = [];
  const fields: Sampling["fields"] = {};
  const temperature = givenNumber(body, "temperature", [0, 2]);
  const topP = givenNumber(body, "top_p", [0, 1]);
  const accepts = model.sampling && !thinks;
  if (temperature !== undefined) {
    if (accepts) fields.temperature = Math.min(temperature, 1);
    else if (temperature !== 1) dropped.push("temperature");
  }
  if (topP !== undefined && topP !== 1) {
    if (accepts && temperature === undefined) fields.top_p = topP;
    else dropped.push("top_p");
  }
  const stops = readStops(body);
  const visible = stops.filter((stop) => stop.trim() !== "");
  if (visible.length < stops.length) dropped.push("stop");
  if (visible.length > 0) fields.stop_sequences = visible;
  return { fields, dropped };
}

function readStops(body: JsonObject): string[] {
  const stop = given(body, "stop");
  if (stop === undefined) return [];
  const list = Array.isArray(stop) ? stop : [stop];
  const texts = list.filter((each) => typeof each === "string");
  if (texts.length < list.length || list.length > STOP_SEQUENCES_MAX) {
    throw expected("stop", `a string or up to ${STOP_SEQUENCES_MAX} strings`);
  }
  return texts;
}
