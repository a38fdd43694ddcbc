import type { Operation, Wire } from "../domain/provider.ts";
import type { OpenAiQuirks } from "../wire/openai_quirks.ts";
import { openAiTranslation } from "../wire/openai.ts";
import { anthropicTranslation } from "../wire/openai_to_anthropic.ts";
import type { ClientRequest, Translation } from "../wire/translation.ts";
import type { Call } from "./call.ts";
import type { Target } from "./route.ts";

type Translate = (
  request: ClientRequest,
  operation: Operation,
  quirks?: OpenAiQuirks,
) => Translation;

/** From the client's wire to the provider's. Equal wires pass through. */
const TRANSLATIONS: Readonly<Record<Wire, Translate>> = {
  openai: openAiTranslation,
  anthropic: anthropicTranslation,
};

/** What a translation needs to know beyond the call and its target. */
export interface TranslateContext {
  readonly callId: string;
  readonly nowMs: number;
  readonly organizationId: string;
}

/** Begins the translation of a call for its target. @throws {ProxyError} Naming a field that cannot be honoured. */
export function translate(call: Call, target: Target, context: TranslateContext): Translation {
  const { text, body, members, requestedModel, stream, includeUsage, operation } = call;
  const request: ClientRequest = {
    text,
    body,
    members,
    requestedModel,
    upstreamModel: target.upstreamModel,
    stream,
    includeUsage,
    callId: context.callId,
    createdS: Math.floor(context.nowMs / 1000),
    pseudonym: (name) => pseudonym(context.organizationId, name),
  };
  return TRANSLATIONS[target.provider.wire](request, operation, target.provider.quirks);
}

/** The same end user has the same pseudonym within an organization, and another in the next. */
function pseudonym(organizationId: string, name: string): string {
  return new Bun.CryptoHasher("sha256", organizationId).update(name).digest("hex");
}
