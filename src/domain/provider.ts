/** Every provider that a model name may start with. */
export const PROVIDER_IDS = ["openai", "anthropic", "mistral", "azure_openai", "groq"] as const;
export type ProviderId = (typeof PROVIDER_IDS)[number];

/** What a client asks for, as OpenTelemetry's `gen_ai.operation.name` says it. */
export type Operation = "chat" | "embeddings";

/** A public request and response format. */
export type Wire = "openai" | "anthropic";
