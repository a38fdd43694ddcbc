import { afterAll } from "bun:test";
import { SseParser, type SseEvent } from "../../src/std/sse.ts";
import { startStandIn } from "../../src/stand_in/stand_in.ts";

/** Starts a stand-in that ends with the test file. */
export function standInForTests() {
  const standIn = startStandIn();
  afterAll(() => standIn.stop());
  return standIn;
}

/** What the tests look at in an answer. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // Tests reach into it freely: a wrong path fails them.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

/** Sends a JSON body, with the headers that both wires accept. */
export async function post(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization: "Bearer sk-test", "anthropic-version": "2023-06-01", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

/** Returns the events of an event stream. */
export function eventsOf(text: string): SseEvent[] {
  return new SseParser().push(new TextEncoder().encode(text));
}

/** Returns the chunks of a stream of the OpenAI wire, which must end with `[DONE]`. */
// oxlint-disable-next-line typescript/no-explicit-any
export function chunksOf(text: string): any[] {
  const events = eventsOf(text).map((event) => event.data);
  if (events.pop() !== "[DONE]") throw new Error("Expected the stream to end with [DONE]");
  return events.map(parsed);
}

// oxlint-disable-next-line typescript/no-explicit-any
function parsed(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
