import { isJsonObject, type JsonObject, parseJsonObject } from "../../../std/json.ts";
import type { Answered, ClientCall } from "../client.ts";

/**
 * What may become of a call whose answer was spoilt, as its client sees it: the answer all the same; another
 * answer that ends as it should; an error instead of an answer; an answer that ends with an error.
 */
export type Fate = "complete" | "odd" | "refused" | "broken";

/** What an answer says, without what differs from call to call. */
export type Meaning = readonly string[];

/** Codes of errors that tell of a provider's failure. */
const CODES: Readonly<Record<number, readonly string[]>> = {
  502: ["upstream_error"],
  504: ["upstream_timeout"],
};
const IN_STREAM_CODES = ["upstream_error", "upstream_timeout", "upstream_stream_interrupted"];

const DONE = "[DONE]";

/** An answer as no client may ever see it. Its message says what is wrong with it. */
export class WrongAnswer extends Error {}

/**
 * Says what became of a call.
 *
 * @param expected What its answer says when nothing is spoilt; a broken answer must be the beginning of it,
 *   unless it is null.
 * @throws {WrongAnswer} If it is nothing that a client could make sense of.
 */
export function fateOf(answered: Answered, call: ClientCall, expected: Meaning | null): Fate {
  const { status, headers, text } = answered;
  if (status === null) throw new WrongAnswer("there was no answer");
  if (text === null) throw new WrongAnswer(`an answer of status ${status} was cut off`);
  if (!headers.has("x-request-id")) throw new WrongAnswer("the answer has no x-request-id");
  if (status !== 200) {
    requireError(parseJsonObject(text), CODES[status] ?? [], `status ${status}, ${shown(text)}`);
    return "refused";
  }
  const meaning = meaningOf(text, call);
  return call.stream ? fateOfStream(meaning, text, expected) : sameOr("odd", meaning, expected);
}

/**
 * Returns what an answer says.
 *
 * @throws {WrongAnswer} If it is not even well formed.
 */
export function meaningOf(text: string, call: Pick<ClientCall, "stream" | "model">): Meaning {
  const named = text.replaceAll(call.model, "MODEL");
  if (!call.stream) {
    const body = parseJsonObject(named);
    if (body === null) throw new WrongAnswer(`the answer is no JSON object: ${shown(text)}`);
    return [plain(body)];
  }
  if (!named.endsWith("\n\n"))
    throw new WrongAnswer(`the stream ends with ${shown(text.slice(-60))}`);
  const events = named.slice(0, -2).split("\n\n");
  return events.filter((event) => !event.startsWith(":")).map(dataOf);
}

function fateOfStream(meaning: Meaning, text: string, expected: Meaning | null): Fate {
  const last = parseJsonObject(meaning.at(-1) ?? "");
  if (isJsonObject(last?.["error"])) {
    requireError(last, IN_STREAM_CODES, shown(text.slice(-300)));
    if (meaning.includes(DONE)) throw new WrongAnswer("a stream is done and ends with an error");
    const before = meaning.slice(0, -1);
    const begun = expected?.slice(0, before.length) ?? before;
    if (!Bun.deepEquals(before, begun)) throw new WrongAnswer(`it is another: ${shown(text)}`);
    return "broken";
  }
  if (meaning.at(-1) !== DONE)
    throw new WrongAnswer(`the stream just ends: ${shown(text.slice(-300))}`);
  return sameOr("odd", meaning, expected);
}

function sameOr(otherwise: Fate, meaning: Meaning, expected: Meaning | null): Fate {
  return Bun.deepEquals(meaning, expected) ? "complete" : otherwise;
}

function requireError(body: JsonObject | null, codes: readonly string[], text: string): void {
  const error = body?.["error"];
  if (!isJsonObject(error)) throw new WrongAnswer(`there is no error in it: ${text}`);
  const { message, type, param, code } = error;
  const isText = typeof message === "string" && message !== "" && typeof type === "string";
  if (!isText || param === undefined) throw new WrongAnswer(`the error lacks something: ${text}`);
  if (typeof code === "string" && codes.includes(code)) return;
  throw new WrongAnswer(
    `the error should have code ${codes.join(" or ") || "and status"}: ${text}`,
  );
}

function dataOf(event: string): string {
  if (!event.startsWith("data: ")) throw new WrongAnswer(`an event is ${shown(event)}`);
  const data = event.slice("data: ".length);
  const body = parseJsonObject(data);
  if (body !== null) return plain(body);
  if (data === DONE) return DONE;
  throw new WrongAnswer(`an event is no JSON object: ${shown(event)}`);
}

function plain(body: JsonObject): string {
  return JSON.stringify({ ...body, id: "ID", created: 0 });
}

function shown(text: string): string {
  return JSON.stringify(text.length > 500 ? `${text.slice(0, 500)}...` : text);
}
