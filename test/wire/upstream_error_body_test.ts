import { describe, expect, test } from "bun:test";
import {
  describeUpstreamError,
  generatedBytes,
  MAX_ERROR_TEXT_CHARS,
  readUpstreamError,
} from "../../src/wire/upstream_error_body.ts";

type Said = readonly [
  message: string | null,
  type?: string | undefined,
  code?: string | undefined,
  param?: string | undefined,
];

const BODIES: Readonly<Record<string, readonly [body: string, said: Said]>> = {
  OpenAI: [
    '{"error":{"message":"m","type":"invalid_request_error","param":"n","code":"invalid_value"}}',
    ["m", "invalid_request_error", "invalid_value", "n"],
  ],
  "OpenAI with nulls": [
    '{"error":{"message":"m","type":"server_error","param":null,"code":null}}',
    ["m", "server_error"],
  ],
  Anthropic: [
    '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"}',
    ["Overloaded", "overloaded_error"],
  ],
  "Anthropic with details": [
    '{"type":"error","error":{"type":"rate_limit_error","message":"m","details":{"error_code":"enforced_spend_limit_reached"}}}',
    ["m", "rate_limit_error", "enforced_spend_limit_reached"],
  ],
  "Azure's content filter": [
    '{"error":{"message":"m","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{}}}',
    ["m", undefined, "content_filter", "prompt"],
  ],
  "Azure with a number as a text": [
    '{"error":{"code":"429","message":"m"}}',
    ["m", undefined, "429"],
  ],
  "Azure's gateway": [
    '{"statusCode":401,"message":"Unauthorized."}',
    ["Unauthorized.", undefined, "401"],
  ],
  "Mistral with a text": [
    '{"object":"error","message":"m","type":"invalid_request_message_order","param":null,"code":"3230"}',
    ["m", "invalid_request_message_order", "3230"],
  ],
  "Mistral with a number": [
    '{"object":"error","message":"m","type":"t","param":null,"code":3230}',
    ["m", "t", "3230"],
  ],
  "Mistral with findings": [
    '{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","store"],"msg":"Extra inputs are not permitted","input":true}]},"type":"invalid_request_error","param":null,"code":null}',
    ["store: Extra inputs are not permitted", "invalid_request_error", undefined, "store"],
  ],
  "bare findings": [
    '{"detail":[{"loc":["body","messages",0,"content"],"msg":"missing"},{"loc":["body"],"msg":"bad"}]}',
    ["messages.0.content: missing; bad", undefined, undefined, "messages.0.content"],
  ],
  "a bare detail": ['{"detail":"Unauthorized"}', ["Unauthorized"]],
  "a message and a request id": [
    '{"message":"no Route matched","request_id":"r"}',
    ["no Route matched"],
  ],
  Groq: [
    '{"error":{"message":"m","type":"tokens","code":"rate_limit_exceeded","failed_generation":"x"}}',
    ["m", "tokens", "rate_limit_exceeded"],
  ],
  "an error that is a text": ['{"error":"model overloaded"}', ["model overloaded"]],
  "the phrase of a status beside a message": [
    '{"status":404,"error":"Not Found","message":"no such path"}',
    ["no such path"],
  ],
  "a page": [
    "<html>\n<head><title> 502 Bad Gateway </title></head><body>nginx</body></html>",
    ["502 Bad Gateway"],
  ],
  "a page without a title": ["<!doctype html><p>oops</p>", [null]],
  "a plain text": ["upstream connect error\n", ["upstream connect error"]],
  "a text in JSON": ['"busy"', ["busy"]],
  nothing: ["", [null]],
  "white space": [" \n", [null]],
  "an empty object": ["{}", [null]],
  "empty texts": ['{"error":{"message":"","type":" ","code":""}}', [null]],
  "members of other kinds": [
    '{"error":{"message":{"a":1},"type":[],"param":{},"code":true,"detail":[null,{"loc":"x"}]}}',
    [null],
  ],
  "an array": ["[1,2]", [null]],
  null: ["null", [null]],
  "cut JSON": ['{"error":{"mess', ['{"error":{"mess']],
};

describe("readUpstreamError()", () => {
  test.each(Object.entries(BODIES))("reads %s", (_, [body, said]) => {
    const [message, type = null, code = null, param = null] = said;
    expect(readUpstreamError(body)).toMatchObject({ message, type, code, param });
  });

  test("keeps the whole body, parsed if it is JSON", () => {
    const body = { error: { message: "m", innererror: { code: "x" } } };
    expect(readUpstreamError(JSON.stringify(body)).body).toEqual(body);
    expect(readUpstreamError("gone").body).toBe("gone");
    expect(readUpstreamError("").body).toBeNull();
  });

  test("shortens what is not JSON", () => {
    const page = readUpstreamError(`<title>${"<title".repeat(100_000)}`);
    expect(page.message).toBeNull();
    expect(String(page.body)).toHaveLength(MAX_ERROR_TEXT_CHARS);
    expect(readUpstreamError("x".repeat(9999)).message).toHaveLength(MAX_ERROR_TEXT_CHARS);
  });

  test("shortens a long list of findings, and never quotes what was sent", () => {
    const detail = Array.from({ length: 5000 }, () => ({
      loc: ["body", "a"],
      msg: "bad",
      input: "secret",
    }));
    const { message } = readUpstreamError(JSON.stringify({ detail }));
    expect(message).toHaveLength(MAX_ERROR_TEXT_CHARS);
    expect(message).not.toContain("secret");
  });
});

test("describeUpstreamError() takes anything", () => {
  for (const body of [undefined, null, 0, "", true, [], { error: null }, { message: null }]) {
    const { message } = describeUpstreamError(body);
    expect(message === null || message !== "").toBe(true);
  }
});

test.each<[body: unknown, bytes: number]>([
  [{ error: { failed_generation: "h\u00e9" } }, 3],
  [{ failed_generation: "abc" }, 3],
  [{ choices: [], x_own: { error: { failed_generation: "abcd" } } }, 4],
  [{ error: { failed_generation: "" } }, 0],
  [{ error: { failed_generation: { a: 1 } } }, 0],
  [{ error: "failed_generation" }, 0],
  ["failed_generation", 0],
  [null, 0],
])("an error of %j shows what was generated, in bytes: %d", (body, bytes) => {
  expect(generatedBytes(body)).toBe(bytes);
});
