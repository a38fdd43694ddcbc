import type { Operation, ProviderId, Wire } from "../domain/provider.ts";
import type { OpenAiQuirks } from "../wire/openai_quirks.ts";

/**
 * A provider is data. Base URLs by example: OpenAI's includes the version (`https://api.openai.com/v1`),
 * Anthropic's does not (`https://api.anthropic.com`), Azure's is the resource
 * (`https://my-resource.openai.azure.com`). An own `base_url` replaces the default and has its shape.
 */
export interface Provider {
  readonly id: ProviderId;
  /** What OpenTelemetry's GenAI conventions call it, as `gen_ai.provider.name`. */
  readonly genAiName: string;
  readonly wire: Wire;
  /** Where calls go by default; null if each organization has its own. */
  readonly baseUrl: string | null;
  /** Where calls go by default when they must stay in the EU, if the provider has such a route. */
  readonly euBaseUrl?: string;
  /** Whether an own base URL may end in `?api-version=...`; no other base URL carries a query. */
  readonly allowsApiVersion?: boolean;
  /** Hosts that may be called without the operator's leave: an exact name, or `*.` and a suffix. */
  readonly hosts: readonly string[];
  /** Whether the default route counts as EU-resident. Own base URLs count only by attestation. */
  readonly euByDefault: boolean;
  readonly operations: readonly Operation[];
  /**
   * What service tiers cost that a client can ask for, in percent of the list price. The others cost no more than it,
   * and what they save is not counted.
   */
  readonly tierPercents?: ReadonlyMap<string, number>;
  /** A small model for a first call; null if each organization names its own. */
  readonly firstModel: string | null;
  /** Returns the URL of an operation. @throws {ProxyError} If this model name cannot stand in one. */
  url(baseUrl: string, operation: Operation, model: string): string;
  /** Returns the URL that lists the models a provider key may use: asking costs nothing. */
  modelsUrl(baseUrl: string): string;
  /** Returns the headers that present the provider key. */
  authorize(providerKey: string): Record<string, string>;
  /** Further headers of every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Where this provider's OpenAI wire differs from OpenAI's. */
  readonly quirks?: OpenAiQuirks;
}

/** Presents the provider key as `Authorization: Bearer`. */
export function bearer(providerKey: string): Record<string, string> {
  return { authorization: `Bearer ${providerKey}` };
}

/** The paths of the OpenAI wire below a base URL that includes the version. */
export function openAiUrl(baseUrl: string, operation: Operation): string {
  return `${baseUrl}${operation === "chat" ? "/chat/completions" : "/embeddings"}`;
}

/** Where the OpenAI wire lists models, below a base URL that includes the version. */
export function openAiModelsUrl(baseUrl: string): string {
  return `${baseUrl}/models`;
}
