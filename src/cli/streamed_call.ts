import { isJsonObject, parseJsonObject } from "../std/json.ts";
import { SseParser } from "../std/sse.ts";

/** A chat request to the data plane. */
export interface ChatCall {
  /** The data plane's base URL. */
  readonly url: string;
  readonly inferenceKey: string;
  readonly model: string;
  readonly content: string;
}

/**
 * Makes one streamed call and yields the answer's text as it arrives.
 *
 * @throws {Error} If the answer is an error, or becomes one.
 */
export async function* streamedCall(call: ChatCall): AsyncGenerator<string> {
  const response = await fetch(`${call.url}/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${call.inferenceKey}`,
      "content-type": "application/json",
    },
    body: chatBody(call),
  });
  if (!response.ok || response.body === null)
    throw new Error(`Cannot call ${call.model}: ${response.status} ${await response.text()}`);
  const parser = new SseParser();
  for await (const piece of response.body) {
    for (const event of parser.push(piece)) {
      const text = textIn(event.data);
      if (text !== "") yield text;
    }
  }
}

/** Returns the same call for a shell. */
export function curlLine(call: ChatCall): string {
  return [
    `curl -N ${call.url}/chat/completions`,
    `-H "authorization: Bearer ${call.inferenceKey}"`,
    '-H "content-type: application/json"',
    `-d '${chatBody(call)}'`,
  ].join(" \\\n    ");
}

function chatBody({ model, content }: ChatCall): string {
  return JSON.stringify({ model, stream: true, messages: [{ role: "user", content }] });
}

function textIn(data: string): string {
  const chunk = parseJsonObject(data);
  if (chunk === null) return "";
  if (isJsonObject(chunk.error)) throw new Error(`Cannot read answer: ${data}`);
  const choice = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined;
  const delta = isJsonObject(choice) ? choice.delta : undefined;
  return isJsonObject(delta) && typeof delta.content === "string" ? delta.content : "";
}
