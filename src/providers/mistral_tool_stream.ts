import type { JsonObject } from "../std/json.ts";
import { readToolCall } from "./mistral_tool_call.ts";
import { mistralToolId } from "./mistral_tool_id.ts";

/**
 * Numbers the tool calls of one choice of a stream. Mistral's own numbers may be missing or all be 0, so a
 * call begins with an id or a name of its own, and what has neither continues the one before.
 */
export class MistralToolStream {
  readonly #seed: string;
  readonly #indexes = new Map<string, number>();
  #count = 0;

  /** @param seed Makes the ids of calls that have none; different for each choice of each answer. */
  constructor(seed: string) {
    this.#seed = seed;
  }

  /** Takes one piece of a tool call and returns it as OpenAI writes it: names only where a call begins. */
  push(piece: JsonObject): JsonObject {
    const { id, name, args } = readToolCall(piece);
    const known = id === null ? undefined : this.#indexes.get(id);
    const last = this.#count - 1;
    if (known !== undefined || (id === null && name === null && last >= 0)) {
      return { index: known ?? last, function: { arguments: args } };
    }
    const index = this.#count;
    this.#count += 1;
    const made = id ?? mistralToolId(`${this.#seed}/${index}`);
    this.#indexes.set(made, index);
    return { index, id: made, type: "function", function: { name: name ?? "", arguments: args } };
  }
}
