import type { Operation, ProviderId } from "../../src/domain/provider.ts";
import { isJsonObject, parseJsonObject } from "../../src/std/json.ts";
import { scanObject } from "../../src/std/json_text.ts";
import { anthropicTranslation } from "../../src/wire/openai_to_anthropic.ts";
import type { ClientRequest, Translation } from "../../src/wire/translation.ts";

/** Begins the translation that the data plane would choose for a call to this provider. */
export async function translationFor(
  provider: ProviderId,
  request: ClientRequest,
  operation: Operation,
): Promise<Translation> {
  if (provider === "anthropic") return anthropicTranslation(request);
  const { openAiTranslation } = await import("../../src/wire/openai.ts");
  const { PROVIDERS } = await import("../../src/providers/registry.ts");
  return openAiTranslation(request, operation, PROVIDERS[provider].quirks);
}

/**
 * Reads a client's body as the data plane does, with fixed values for what varies between calls:
 * call id `call0`, Unix second 1700000000, and pseudonyms `p_<length of the name>`.
 *
 * @throws {SyntaxError} If the text is no JSON object with a model.
 */
export function clientRequest(text: string): ClientRequest {
  const body = parseJsonObject(text);
  if (body === null || typeof body["model"] !== "string") {
    throw new SyntaxError("Cannot read client request: expected a JSON object with a model");
  }
  const requestedModel = body["model"];
  const options = body["stream_options"];
  return {
    text: text.trim(),
    body,
    members: scanObject(text.trim()),
    requestedModel,
    upstreamModel: requestedModel.slice(requestedModel.indexOf("/") + 1),
    stream: body["stream"] === true,
    includeUsage: isJsonObject(options) && options["include_usage"] === true,
    callId: "call0",
    createdS: 1_700_000_000,
    pseudonym: (name) => `p_${name.length}`,
  };
}
