import type { JsonObject } from "../std/json.ts";
import { CREATED_S } from "./openai_answer.ts";
import type { Speaker } from "./routes.ts";

const MODELS: Readonly<Record<Speaker, readonly string[]>> = {
  openai: ["gpt-4o-mini", "gpt-5", "text-embedding-3-small"],
  azure: ["my-deployment"],
  mistral: ["mistral-small-latest", "mistral-embed"],
  groq: ["llama-3.3-70b-versatile"],
  anthropic: ["claude-opus-5-5", "claude-sonnet-4-5"],
};

/** Lists the models of a provider, in its own shape. Any other name is answered too. */
export function modelList(speaker: Speaker): JsonObject {
  if (speaker === "anthropic") {
    const created = new Date(CREATED_S * 1000).toISOString();
    const data = MODELS.anthropic.map((id) => {
      return { type: "model", id, display_name: id, created_at: created };
    });
    return {
      data,
      has_more: false,
      first_id: data[0]?.id ?? null,
      last_id: data.at(-1)?.id ?? null,
    };
  }
  const data = MODELS[speaker].map((id) => {
    return { id, object: "model", created: CREATED_S, owned_by: "stand-in" };
  });
  return { object: "list", data };
}
