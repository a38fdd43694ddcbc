import type { JsonObject } from "../std/json.ts";
import type { ClientRequest } from "./translation.ts";

/** A provider's request after its quirks: the body to send and the top-level fields left out of it. */
export interface QuirkedRequest {
  readonly body: JsonObject;
  readonly dropped: readonly string[];
}

/**
 * Where a provider's OpenAI wire differs from OpenAI's. All functions are pure and return new values.
 * A provider without an entry is passed through byte for byte, but for the documented edits.
 */
export interface OpenAiQuirks {
  /** False if the provider refuses `stream_options`; it must then report usage by itself. */
  readonly asksForStreamUsage: boolean;
  /** Rewrites a chat request. `model`, `stream` and `stream_options` are set afterwards. @throws {ProxyError} */
  chatRequest?(request: ClientRequest): QuirkedRequest;
  /** Rewrites an embeddings request. `model` is set afterwards. @throws {ProxyError} */
  embeddingsRequest?(request: ClientRequest): QuirkedRequest;
  /** Rewrites a whole chat answer into OpenAI's shape. @throws {UpstreamFault} If it is an error in disguise. */
  completion?(answer: JsonObject): JsonObject;
  /**
   * Begins one stream. The function returned rewrites each chunk into OpenAI's shape, or swallows it by
   * returning null. @throws {UpstreamFault} If a chunk is an error.
   */
  chunks?(): (chunk: JsonObject) => JsonObject | null;
  /** Rewrites an embeddings answer into OpenAI's shape; the request tells what the client asked for. */
  embeddings?(answer: JsonObject, request: ClientRequest): JsonObject;
}
