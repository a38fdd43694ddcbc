/** Every provider that a model name may start with. */
export const PROVIDER_IDS = ["openai", "anthropic", "mistral", "azure_openai", "groq"] as const;
export type ProviderId = (typeof PROVIDER_IDS)[number];

/** A model of a provider, in the provider's own words: they may hold slashes too. */
export interface ModelName {
  readonly provider: ProviderId;
  readonly model: string;
}

/** Splits `provider/model` at its first slash; null if it is no such name. */
export function parseModelName(text: string): ModelName | null {
  const slash = text.indexOf("/");
  const provider = PROVIDER_IDS.find((id) => id === text.slice(0, Math.max(0, slash)));
  const model = text.slice(slash + 1);
  return provider === undefined || model === "" ? null : { provider, model };
}

/** Writes a model's name as `provider/model`. */
export function formatModelName({ provider, model }: ModelName): string {
  return `${provider}/${model}`;
}

/** What a client asks for, as OpenTelemetry's `gen_ai.operation.name` says it. */
export type Operation = "chat" | "embeddings";

/** A public request and response format. */
export type Wire = "openai" | "anthropic";
