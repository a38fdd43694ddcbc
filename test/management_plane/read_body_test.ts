import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { readBody } from "../../src/management_plane/read_body.ts";
import { text, wholeNumber } from "../../src/management_plane/fields.ts";

const Schema = v.strictObject({ name: text(), count: v.optional(wholeNumber(1, 9)) });

function read(
  body: string | Uint8Array<ArrayBuffer> | ReadableStream,
  headers: Record<string, string> = {},
): Promise<unknown> {
  const request = new Request("http://x/", {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });
  return readBody(request, Schema).catch((error: { code?: string; message?: string }) => [
    error.code,
    error.message,
  ]);
}

describe("readBody()", () => {
  test("reads what the schema says", async () => {
    expect(await read('{"name":"a","count":3}')).toEqual({ name: "a", count: 3 });
    expect(await read(' {"name":"a"}\n')).toEqual({ name: "a" });
    const type = { "content-type": "Application/JSON; charset=utf-8" };
    expect(await read('{"name":"a"}', type)).toEqual({ name: "a" });
  });

  test("takes a service_id that is null, as published clients send it", async () => {
    expect(await read('{"name":"a","service_id":null}')).toEqual({ name: "a" });
    expect(await read('{"name":"a","service_id":"x"}')).toEqual([
      "invalid_request",
      'Cannot use field "service_id": there is no such field',
    ]);
  });

  test("says of a client that goes away in the middle that it did, and blames nobody else", async () => {
    const client = new AbortController();
    const body = new ReadableStream({
      pull: (controller) => {
        client.abort();
        controller.error(new DOMException("gone", "AbortError"));
      },
    });
    const headers = { "content-type": "application/json" };
    const request = new Request("http://x/", {
      method: "POST",
      body,
      headers,
      signal: client.signal,
    });
    const error = await readBody(request, Schema).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "invalid_request" });
  });

  const BAD: [name: string, body: string, message: string][] = [
    ["nothing", "", "Cannot read body: expected a JSON object"],
    ["no JSON", "{name:1}", "Cannot read body: expected a JSON object"],
    ["an array", "[]", "Cannot read body: expected a JSON object"],
    ["null", "null", "Cannot read body: expected a JSON object"],
    ["a string", '"x"', "Cannot read body: expected a JSON object"],
    ["a missing field", "{}", 'Cannot read body: field "name" is missing'],
    ["an unknown field", '{"name":"a","x":1}', 'Cannot use field "x": there is no such field'],
    ["a wrong type", '{"name":["sk-secret"]}', 'Cannot use field "name": expected a string'],
    [
      "a wrong value",
      '{"name":"a","count":10}',
      'Cannot use field "count": expected a whole number from 1 to 9',
    ],
    [
      "null for a number",
      '{"name":"a","count":null}',
      'Cannot use field "count": expected a whole number from 1 to 9',
    ],
    [
      "a prototype",
      '{"name":"a","__proto__":{"count":1}}',
      'Cannot use field "__proto__": there is no such field',
    ],
    [
      "a constructor",
      '{"name":"a","constructor":1}',
      'Cannot use field "constructor": there is no such field',
    ],
    ["a field twice", '{"name":"a","name":"b"}', 'Cannot read object: "name" is given twice'],
    [
      "a deep value",
      `{"name":${"[".repeat(200)}${"]".repeat(200)}}`,
      "Cannot read object: values nest deeper than 100",
    ],
  ];
  test.each(BAD)("refuses %s", async (_, body, message) => {
    expect(await read(body)).toEqual(["invalid_request", message]);
  });

  test("refuses bytes that are not UTF-8", async () => {
    const bytes = Uint8Array.from([...Buffer.from('{"name":"'), 0xff, 0x22, 0x7d]);
    expect(await read(bytes)).toEqual(["invalid_request", "Cannot read body: it is not UTF-8"]);
  });

  const TYPES = [
    "",
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/jsonx",
    "multipart/form-data; x=application/json",
  ];
  test.each(TYPES)("refuses content type %p", async (type) => {
    const answer = await read('{"name":"a"}', { "content-type": type });
    expect(answer).toEqual(["unsupported_media_type", expect.any(String)]);
  });

  test("refuses a content encoding", async () => {
    const answer = await read('{"name":"a"}', { "content-encoding": "gzip" });
    expect(answer).toEqual(["unsupported_media_type", expect.any(String)]);
  });

  test("takes 64 KiB and refuses a byte more, without reading on", async () => {
    const sized = (bytes: number) => `{"name":"${"x".repeat(bytes - 11)}"}`;
    expect(await read(sized(65_536))).toMatchObject({ name: "x".repeat(65_525) });
    expect(await read(sized(65_537))).toEqual(["request_too_large", expect.any(String)]);
    let pulled = 0;
    const endless = new ReadableStream({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new Uint8Array(10_000).fill(32));
      },
    });
    expect(await read(endless)).toEqual(["request_too_large", expect.any(String)]);
    expect(pulled).toBeLessThan(20);
  });
});
