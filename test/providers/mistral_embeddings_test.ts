import { describe, expect, test } from "bun:test";
import {
  mistralEmbeddings,
  mistralEmbeddingsRequest,
} from "../../src/providers/mistral_embeddings.ts";
import type { Json, JsonObject } from "../../src/std/json.ts";
import { UpstreamFault } from "../../src/wire/translation.ts";
import { clientRequest } from "../support/translate.ts";

function request(fields: JsonObject, model = "mistral-embed") {
  return clientRequest(JSON.stringify({ model: `mistral/${model}`, input: "a", ...fields }));
}

describe("mistralEmbeddingsRequest()", () => {
  const SENT: readonly (readonly [
    model: string,
    fields: JsonObject,
    sent: JsonObject,
    dropped: string[],
  ])[] = [
    ["mistral-embed", {}, {}, []],
    ["mistral-embed", { encoding_format: "base64" }, {}, []],
    ["mistral-embed", { encoding_format: null, dimensions: null }, {}, []],
    ["mistral-embed", { dimensions: 1024 }, {}, []],
    ["mistral-embed", { input: ["a", "b"], user: "u" }, { input: ["a", "b"] }, ["user"]],
    ["codestral-embed", { dimensions: 256 }, { output_dimension: 256 }, []],
    ["codestral-embed", { output_dtype: "float", foo: 1 }, {}, ["foo"]],
  ];
  test.each(SENT)("sends %s of %j the fields %j and drops %j", (model, fields, sent, dropped) => {
    expect(mistralEmbeddingsRequest(request(fields, model))).toEqual({
      body: { model: `mistral/${model}`, input: "a", encoding_format: "float", ...sent },
      dropped,
    });
  });

  const REFUSED: readonly (readonly [fields: JsonObject, param: string, code: string])[] = [
    [{ dimensions: 256 }, "dimensions", "invalid_value"],
    [{ encoding_format: "hex" }, "encoding_format", "invalid_value"],
    [{ output_dtype: "int8" }, "output_dtype", "unsupported_parameter"],
    ...["", [], ["a", ""], [1, 2], [[1], [2]], null].map(
      (input) => [{ input }, "input", "invalid_value"] as const,
    ),
  ];
  test.each(REFUSED)("refuses %j", (fields, param, code) => {
    expect(() => mistralEmbeddingsRequest(request(fields))).toThrow(
      expect.objectContaining({ param, code }),
    );
  });
});

describe("mistralEmbeddings()", () => {
  const answer = (...data: Json[]): JsonObject => ({ id: "e1", object: "list", data });

  test("makes base64 that decodes to the same floats", () => {
    const floats = [0.1, -0.25, 1e-8, 12345.678, 0];
    const asked = request({ encoding_format: "base64" });
    const { data } = mistralEmbeddings(answer({ index: 0, embedding: floats }), asked);
    const [row] = Array.isArray(data) ? data : [];
    const bytes = Buffer.from(String(Object(row).embedding), "base64");
    const decoded = floats.map((_, at) => bytes.readFloatLE(at * 4));
    expect(bytes.length).toBe(20);
    expect(decoded).toEqual(floats.map(Math.fround));
  });

  test("leaves floats alone, fills in and orders by index, and reports input alone", () => {
    const given = {
      ...answer({ embedding: [2], index: 1 }, { embedding: [1], index: 0 }),
      usage: {
        prompt_tokens: 5,
        completion_tokens: 0,
        total_tokens: 5,
        prompt_audio_seconds: null,
      },
    };
    expect(mistralEmbeddings(given, request({}))).toEqual({
      id: "e1",
      object: "list",
      data: [
        { object: "embedding", index: 0, embedding: [1] },
        { object: "embedding", index: 1, embedding: [2] },
      ],
      usage: { prompt_tokens: 5, total_tokens: 5 },
    });
    expect(
      mistralEmbeddings(answer({ embedding: [1] }, { embedding: [2] }), request({})),
    ).toMatchObject({
      data: [{ index: 0 }, { index: 1 }],
    });
  });

  test("raises an embedding that is no list of numbers when it must be encoded", () => {
    const asked = request({ encoding_format: "base64" });
    for (const embedding of ["AAAA", [1, "2"], null]) {
      expect(() => mistralEmbeddings(answer({ embedding }), asked)).toThrow(UpstreamFault);
    }
  });

  test("leaves an answer without data to be refused by its reader", () => {
    const given = { id: "e1" };
    expect(mistralEmbeddings(given, request({}))).toBe(given);
  });
});
