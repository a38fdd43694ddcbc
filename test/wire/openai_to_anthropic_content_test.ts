import { expect, test } from "bun:test";
import type { Json, JsonObject } from "../../src/std/json.ts";
import {
  assistantPart,
  contentBlocks,
  resultPart,
  textPart,
  thinkingBlock,
  userPart,
} from "../../src/wire/openai_to_anthropic_content.ts";

function image(url: Json, more: JsonObject = {}): JsonObject {
  return { type: "image_url", image_url: { url, ...more } };
}

function file(file_data: Json, filename: Json = null): JsonObject {
  return { type: "file", file: { file_data, filename } };
}

function base64Image(media_type: string, data: string): JsonObject {
  return { type: "image", source: { type: "base64", media_type, data } };
}

function pdf(data: string): JsonObject {
  return { type: "document", source: { type: "base64", media_type: "application/pdf", data } };
}

function textFile(data: string): JsonObject {
  return { type: "document", source: { type: "text", media_type: "text/plain", data } };
}

const PARTS: Record<string, readonly [part: JsonObject, block: JsonObject | null]> = {
  "a text": [
    { type: "text", text: " a " },
    { type: "text", text: " a " },
  ],
  "a blank text": [{ type: "text", text: " \n" }, null],
  "an image by URL": [
    image("HTTPS://example.com/a.png", { detail: "high" }),
    { type: "image", source: { type: "url", url: "HTTPS://example.com/a.png" } },
  ],
  "a URL as a bare string": [
    { type: "image_url", image_url: "http://example.com/a.png" },
    { type: "image", source: { type: "url", url: "http://example.com/a.png" } },
  ],
  "an image as data": [image("data:image/png;base64,AAAA"), base64Image("image/png", "AAAA")],
  "the common misspelling of JPEG": [
    image("data:image/jpg;base64,AAAA"),
    base64Image("image/jpeg", "AAAA"),
  ],
  "data with parameters and blanks": [
    image("DATA:IMAGE/WebP;charset=x; Base64,AA\r\nA A=="),
    base64Image("image/webp", "AAAA=="),
  ],
  "a format beside the data": [
    image("data:;base64,AAAA", { format: "IMAGE/GIF" }),
    base64Image("image/gif", "AAAA"),
  ],
  "a PDF in the place of an image": [image("data:application/pdf;base64,AAAA"), pdf("AAAA")],
  "a PDF": [file("data:application/pdf;base64,AAAA"), pdf("AAAA")],
  "a PDF with a name": [
    file("data:application/pdf;base64,AAAA", "a.pdf"),
    { ...pdf("AAAA"), title: "a.pdf" },
  ],
  "a blank name": [file("data:application/pdf;base64,AAAA", " "), pdf("AAAA")],
  "a text file": [file("data:text/plain;base64,R3LDvMOfZQ=="), textFile("Gr\u00fc\u00dfe")],
  "a text file that is not base64": [file("data:text/plain,a%20b"), textFile("a b")],
  "a text file of another kind": [file("data:text/csv;base64,YSxi"), textFile("a,b")],
  "data without a type": [file("data:,hello"), textFile("hello")],
};

for (const [name, [part, block]] of Object.entries(PARTS)) {
  test(`${name} is translated`, () => expect<unknown>(userPart(part, "p")).toEqual(block));
}

const REFUSED: Record<string, readonly [part: JsonObject, param: string]> = {
  "a part of no kind": [{}, "p"],
  audio: [{ type: "input_audio", input_audio: { data: "AAAA", format: "wav" } }, "p"],
  "a text that is none": [{ type: "text", text: 7 }, "p.text"],
  "a text part without text": [{ type: "text" }, "p.text"],
  "an image without URL": [image(null), "p.image_url.url"],
  "an image in another scheme": [image("ftp://example.com/a.png"), "p.image_url.url"],
  "an image in another format": [image("data:image/tiff;base64,AAAA"), "p.image_url.url"],
  "an image that is not base64": [image("data:image/png,AAAA"), "p.image_url.url"],
  "an image with broken base64": [image("data:image/png;base64,A$A"), "p.image_url.url"],
  "an image without data": [image("data:image/png;base64,"), "p.image_url.url"],
  "a file by its id": [{ type: "file", file: { file_id: "file-1" } }, "p.file"],
  "a file that is none": [{ type: "file", file: "x" }, "p.file"],
  "a file without data URL": [file("JVBERi0="), "p.file.file_data"],
  "a file of another type": [file("data:application/zip;base64,AAAA"), "p.file.file_data"],
  "a text file that is not UTF-8": [file("data:text/plain;base64,/////w=="), "p.file.file_data"],
  "a text file with a broken escape": [file("data:text/plain,%E0%A4"), "p.file.file_data"],
  "a blank text file": [file("data:text/plain,%20"), "p.file.file_data"],
};

for (const [name, [part, param]] of Object.entries(REFUSED)) {
  test(`${name} is refused at ${param}`, () => {
    expect(() => userPart(part, "p")).toThrow(expect.objectContaining({ param, status: 400 }));
  });
}

test("each role takes its own parts", () => {
  const thinking = { type: "thinking", thinking: "x", signature: "s" };
  const url = image("https://example.com/a.png");
  expect(assistantPart({ type: "refusal", refusal: "No." }, "p")).toEqual({
    type: "text",
    text: "No.",
  });
  expect(assistantPart(thinking, "p")).toEqual({ type: "thinking", thinking: "x", signature: "s" });
  expect(resultPart(url, "p")).toMatchObject({ type: "image" });
  expect(() => assistantPart(url, "p")).toThrow();
  expect(() => userPart(thinking, "p")).toThrow();
  expect(() => textPart(url, "p")).toThrow();
  expect(() => resultPart(image("data:application/pdf;base64,AAAA"), "p")).toThrow();
});

test("content is a text or a list of parts, and blank ones are left out", () => {
  const read = (content: Json | undefined): unknown => contentBlocks(content, "c", textPart);
  expect(read("x")).toEqual([{ type: "text", text: "x" }]);
  for (const blank of [undefined, null, "", " ", [], [{ type: "text", text: "" }]]) {
    expect(read(blank)).toEqual([]);
  }
  expect(() => read(7)).toThrow(expect.objectContaining({ param: "c" }));
  expect(() => read([{ type: "text", text: "x" }, "x"])).toThrow(
    expect.objectContaining({ param: "c[1]" }),
  );
});

test.each<[Json, Json]>([
  [
    { type: "thinking", thinking: "x", signature: "s", extra: 1 },
    { type: "thinking", thinking: "x", signature: "s" },
  ],
  [
    { type: "thinking", thinking: null, signature: "s" },
    { type: "thinking", thinking: "", signature: "s" },
  ],
  [{ type: "thinking", thinking: "x" }, null],
  [{ type: "thinking", thinking: "x", signature: "" }, null],
  [
    { type: "redacted_thinking", data: "d" },
    { type: "redacted_thinking", data: "d" },
  ],
  [{ type: "redacted_thinking" }, null],
  [{ type: "text", text: "x" }, null],
  ["x", null],
])("%j is thinking %j", (value, block) => {
  expect<unknown>(thinkingBlock(value)).toEqual(block);
});
