import type { AnswerSpec } from "./answers.ts";
import type { Pace } from "./load_plan.ts";

/** One kind of call that is measured. */
export interface Work {
  readonly name: string;
  readonly path: "/chat/completions" | "/embeddings";
  readonly body: string;
  readonly answer: AnswerSpec;
  readonly connections: number;
  readonly pace: Pace;
}

const SENTENCE =
  'A proxy takes what a client asks, says "yes" or "no", and sends it on; the answer goes back as it came.\n';

/** How long one message of a long prompt is, in characters. */
const MESSAGE_CHARS = 2000;

/** Returns messages with about this many characters of text: one, or turns of a longer conversation. */
export function messages(chars: number): { role: string; content: string }[] {
  const text = SENTENCE.repeat(Math.ceil(chars / SENTENCE.length)).slice(0, chars);
  const count = Math.ceil(chars / MESSAGE_CHARS);
  return Array.from({ length: count }, (_, index) => ({
    role: index % 2 === (count - 1) % 2 ? "user" : "assistant",
    content: text.slice(index * MESSAGE_CHARS, (index + 1) * MESSAGE_CHARS),
  }));
}

/** Returns the body of a chat call. */
export function chatBody(model: string, chars: number, stream: boolean): string {
  return JSON.stringify({
    model,
    messages: messages(chars),
    max_tokens: 1024,
    temperature: 0.7,
    ...(stream ? { stream: true } : {}),
  });
}

/** Returns the body of an embeddings call. */
export function embeddingsBody(encoding: "float" | "base64", inputs: number): string {
  return JSON.stringify({
    model: "openai/text-embedding-3-small",
    input: Array.from({ length: inputs }, (_, index) => `${index}: ${SENTENCE}`),
    encoding_format: encoding,
  });
}

export const OPENAI_MODEL = "openai/gpt-4o-mini";
export const ANTHROPIC_MODEL = "anthropic/claude-sonnet-4-5";
