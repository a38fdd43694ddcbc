import * as v from "valibot";
import { invalidValue, ProxyError, unsupportedParameter } from "../domain/errors.ts";
import type { Operation } from "../domain/provider.ts";
import { type JsonObject, parseJsonObject } from "../std/json.ts";
import { JsonTextError, refuseTooMany, scanObject, type Span } from "../std/json_text.ts";
import { malformed } from "./read_body.ts";
import { isUsualChat, MODEL_NAME } from "./usual_chat.ts";

/** One inference request as understood by us. */
export interface Call {
  readonly operation: Operation;
  readonly text: string;
  readonly body: JsonObject;
  readonly members: ReadonlyMap<string, Span>;
  /** `provider/model` as the client named it. */
  readonly requestedModel: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

const Tokens = v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(1)));

const Model = v.pipe(v.string(), v.regex(MODEL_NAME));

/** What else stands in it is neither looked at nor copied. */
const Message: v.GenericSchema<{ role: string; [member: string]: unknown }> = v.object({
  role: v.string(),
});

/** Only what the proxy itself decides by. What else a client sends is the provider's to judge. */
export const ChatBody = v.object({
  model: Model,
  messages: v.pipe(v.array(Message), v.minLength(1)),
  stream: v.nullish(v.boolean()),
  stream_options: v.nullish(v.object({ include_usage: v.nullish(v.boolean()) })),
  max_tokens: Tokens,
  max_completion_tokens: Tokens,
  n: v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(128))),
});

/** The same for embeddings. */
export const EmbeddingsBody = v.object({
  model: Model,
  input: v.pipe(v.unknown(), v.check(isInput, "a text, token ids or a list of either")),
  encoding_format: v.nullish(v.picklist(["float", "base64"])),
});

const BODIES = { chat: ChatBody, embeddings: EmbeddingsBody };

/**
 * Reads a call from a request's body.
 *
 * @throws {ProxyError} `invalid_model` if the body is malformed or names no model, `invalid_value` for
 *   another field.
 */
export function readCall(text: string, operation: Operation): Call {
  const { body, members } = parse(text);
  for (const name of members.keys()) if (!LOWER_CASE.test(name)) refuseLookalike(name);
  if (operation !== "chat" || !isUsualChat(body)) requireFields(body, operation);
  const options = body["stream_options"] as JsonObject | null | undefined;
  return {
    operation,
    text,
    body,
    members,
    requestedModel: body["model"] as string,
    stream: operation === "chat" && body["stream"] === true,
    includeUsage: options?.["include_usage"] === true,
  };
}

function requireFields(body: JsonObject, operation: Operation): void {
  const { issues } = v.safeParse(BODIES[operation], body, { abortEarly: true });
  if (issues !== undefined) throw fieldError(issues[0]);
}

function parse(text: string): Pick<Call, "body" | "members"> {
  try {
    refuseTooMany(text);
    const body = parseJsonObject(text);
    if (body === null) throw malformed("the body is not a JSON object");
    return { body, members: scanObject(text) };
  } catch (error) {
    if (error instanceof JsonTextError) throw malformed(error.message);
    throw error;
  }
}

const LOWER_CASE = /^[a-z0-9_]*$/;

/** The members of a body that the proxy decides by. */
const DECIDED_BY = new Set([
  "model",
  "messages",
  "input",
  "stream",
  "stream_options",
  "max_tokens",
  "max_completion_tokens",
  "n",
  "service_tier",
]);

/** Some servers match names whatever their case: they would take this member for the one that was looked at. */
function refuseLookalike(name: string): void {
  const folded = name.toUpperCase().toLowerCase();
  if (!DECIDED_BY.has(folded)) return;
  throw unsupportedParameter(name, `Cannot read "${name}": write "${folded}"`);
}

/** Whether this can be embedded. Looked at by hand: hundreds of thousands of token ids are usual. */
function isInput(input: unknown): boolean {
  if (!Array.isArray(input)) return isText(input);
  if (input.length === 0) return false;
  return input.every(isText) || isTokenIds(input) || input.every(isTokenIds);
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function isTokenIds(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isTokenId);
}

function isTokenId(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function fieldError(issue: v.BaseIssue<unknown>): ProxyError {
  const param = paramOf(issue);
  if (param === "model") {
    return new ProxyError(
      "invalid_model",
      'Cannot route call: "model" must be "provider/model", such as "openai/gpt-5"',
      { param },
    );
  }
  // The value itself is not quoted: it may be part of a prompt.
  const expected = issue.expected ?? (issue.type === "check" ? issue.message : "another value");
  return invalidValue(param, `Cannot read "${param}": ${expected} is expected`);
}

function paramOf(issue: v.BaseIssue<unknown>): string {
  const keys = (issue.path ?? []).map(({ key }) => key);
  return keys.reduce<string>((path, key) => {
    if (typeof key === "number") return `${path}[${key}]`;
    return path === "" ? String(key) : `${path}.${String(key)}`;
  }, "");
}
