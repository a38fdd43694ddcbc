import { describe, expect, test } from "bun:test";
import { mistralContent } from "../../src/providers/mistral_content.ts";
import type { JsonObject } from "../../src/std/json.ts";

const PDF = "data:application/pdf;base64,AAAA";

describe("mistralContent()", () => {
  test("a text passes", () => {
    expect(mistralContent("a", "messages[0]")).toBe("a");
  });

  const PARTS: readonly (readonly [given: JsonObject, sent: JsonObject])[] = [
    [
      { type: "text", text: "a", prompt_cache_breakpoint: {} },
      { type: "text", text: "a" },
    ],
    [
      { type: "refusal", refusal: "no" },
      { type: "text", text: "no" },
    ],
    [
      { type: "image_url", image_url: "https://example.com/a" },
      { type: "image_url", image_url: "https://example.com/a" },
    ],
    [
      { type: "image_url", image_url: { url: "data:image/png;base64,AA", detail: "original" } },
      { type: "image_url", image_url: { url: "data:image/png;base64,AA", detail: "high" } },
    ],
    [
      { type: "image_url", image_url: { url: "https://example.com/a", detail: null } },
      { type: "image_url", image_url: { url: "https://example.com/a" } },
    ],
    [
      { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
      { type: "input_audio", input_audio: "AAAA" },
    ],
    [
      { type: "file", file: { file_data: PDF, filename: "a.pdf" } },
      { type: "document_url", document_url: PDF, document_name: "a.pdf" },
    ],
    [
      { type: "file", file: { file_data: PDF } },
      { type: "document_url", document_url: PDF },
    ],
    [
      { type: "document_url", document_url: "https://example.com/a.pdf" },
      { type: "document_url", document_url: "https://example.com/a.pdf" },
    ],
  ];
  test.each(PARTS)("makes of %j the part %j", (given, sent) => {
    expect(mistralContent([given], "messages[0]")).toEqual([sent]);
  });

  test.each([
    { type: "file", file: { file_id: "file-1" } },
    { type: "file", file: { file_data: "data:text/plain,a" } },
    { type: "file" },
    { type: "video_url", video_url: "https://example.com/a" },
    {},
    "a",
  ])("refuses %j", (part) => {
    expect(() => mistralContent([{ type: "text", text: "a" }, part], "messages[3]")).toThrow(
      expect.objectContaining({ code: "invalid_value", param: "messages[3].content[1]" }),
    );
  });
});
