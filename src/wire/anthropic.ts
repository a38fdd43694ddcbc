import type { JsonObject } from "../std/json.ts";

// Anthropic's Messages wire, as far as this product writes it. Unknown keys are refused there, so nothing
// that is ours alone may ever stand in these objects.

export interface AnthropicRequest {
  model: string;
  max_tokens: number;
  messages: AnthropicMessage[];
  system?: TextBlock[];
  stop_sequences?: string[];
  stream?: boolean;
  temperature?: number;
  top_p?: number;
  thinking?: Thinking;
  output_config?: OutputConfig;
  tools?: Tool[];
  tool_choice?: ToolChoice;
  metadata?: { user_id: string };
  service_tier?: "auto" | "standard_only";
}

export interface AnthropicMessage {
  role: "user" | "assistant";
  content: Block[];
}

export type Block =
  | TextBlock
  | ImageBlock
  | DocumentBlock
  | ThinkingBlock
  | RedactedThinkingBlock
  | ToolUseBlock
  | ToolResultBlock;

/** Ends the part of a prompt that is kept in the provider's cache. */
export interface CacheControl {
  type: "ephemeral";
  ttl?: "5m" | "1h";
}

export interface TextBlock {
  type: "text";
  text: string;
  cache_control?: CacheControl;
}

export interface ImageBlock {
  type: "image";
  source: Base64Image | { type: "url"; url: string };
  cache_control?: CacheControl;
}

export interface Base64Image {
  type: "base64";
  media_type: ImageMediaType;
  data: string;
}

/** The only image formats that this wire takes as data. */
export const IMAGE_MEDIA_TYPES = ["image/jpeg", "image/png", "image/gif", "image/webp"] as const;
export type ImageMediaType = (typeof IMAGE_MEDIA_TYPES)[number];

export interface DocumentBlock {
  type: "document";
  source:
    | { type: "base64"; media_type: "application/pdf"; data: string }
    | { type: "text"; media_type: "text/plain"; data: string };
  title?: string;
  cache_control?: CacheControl;
}

/** Reasoning. The signature proves that the model wrote it; a changed block is refused. */
export interface ThinkingBlock {
  type: "thinking";
  thinking: string;
  signature: string;
}

export interface RedactedThinkingBlock {
  type: "redacted_thinking";
  data: string;
}

export interface ToolUseBlock {
  type: "tool_use";
  id: string;
  name: string;
  input: JsonObject;
  cache_control?: CacheControl;
}

export interface ToolResultBlock {
  type: "tool_result";
  tool_use_id: string;
  content?: string | (TextBlock | ImageBlock)[];
  cache_control?: CacheControl;
}

export interface Tool {
  name: string;
  description?: string;
  input_schema: ObjectSchema;
  strict?: boolean;
  cache_control?: CacheControl;
}

/** A JSON schema whose root is an object: the only root that a tool may have. */
export interface ObjectSchema extends JsonObject {
  type: "object";
}

export type ToolChoice =
  | { type: "auto" | "any"; disable_parallel_tool_use?: boolean }
  | { type: "tool"; name: string; disable_parallel_tool_use?: boolean }
  | { type: "none" };

export type Thinking =
  | { type: "adaptive"; display?: ThinkingDisplay }
  | { type: "enabled"; budget_tokens: number; display?: ThinkingDisplay }
  | { type: "disabled" }
  | { type: "between_tools" };

export type ThinkingDisplay = "summarized" | "omitted";
export type Effort = "low" | "medium" | "high" | "xhigh" | "max";

export interface OutputConfig {
  effort?: Effort;
  format?: { type: "json_schema"; schema: JsonObject };
}
