import { type Json, type JsonObject, isJsonObject } from "../std/json.ts";
import {
  type Block,
  type DocumentBlock,
  IMAGE_MEDIA_TYPES,
  type ImageBlock,
  type RedactedThinkingBlock,
  type TextBlock,
  type ThinkingBlock,
} from "./anthropic.ts";
import { cacheControl } from "./openai_to_anthropic_cache.ts";
import { expected, given, givenText, objectAt } from "./openai_to_anthropic_fields.ts";

/** Turns one content part into a block; null if nothing is left of it. */
type PartReader<B> = (part: JsonObject, path: string) => B | null;

/**
 * Translates the content of a message: a text, or parts that `readPart` understands. Blank texts are left
 * out, because upstream refuses them.
 *
 * @throws {ProxyError} If the content is neither, naming the part.
 */
export function contentBlocks<B>(
  content: Json | undefined,
  path: string,
  readPart: PartReader<B>,
): (B | TextBlock)[] {
  if (content === null || content === undefined) return [];
  if (typeof content === "string") return isBlank(content) ? [] : [{ type: "text", text: content }];
  if (!Array.isArray(content)) throw expected(path, "a string or an array of parts");
  const blocks: (B | TextBlock)[] = [];
  for (const [index, value] of content.entries()) {
    const partPath = `${path}[${index}]`;
    const block = readPart(objectAt(value, partPath), partPath);
    if (block !== null) blocks.push(block);
  }
  return blocks;
}

/** Reads a part that may only be text. */
export function textPart(part: JsonObject, path: string): TextBlock | null {
  if (part["type"] !== "text") throw expected(path, 'a part of type "text"');
  return textBlock(part, "text", path);
}

/** Reads a part of a tool's result: text, or an image as an extension. */
export function resultPart(part: JsonObject, path: string): TextBlock | ImageBlock | null {
  if (part["type"] !== "image_url") return textPart(part, path);
  const block = imagePart(part, path);
  if (block.type === "image") return block;
  throw expected(`${path}.image_url.url`, "an image");
}

/** Reads a part of a user's message: text, an image or a file. */
export function userPart(part: JsonObject, path: string): Block | null {
  switch (part["type"]) {
    case "text":
      return textBlock(part, "text", path);
    case "image_url":
      return imagePart(part, path);
    case "file":
      return filePart(part, path);
    default:
      throw expected(path, 'a part of type "text", "image_url" or "file"');
  }
}

/** Reads a part of an assistant's message: text, a refusal, or thinking that this wire gave out before. */
export function assistantPart(part: JsonObject, path: string): Block | null {
  switch (part["type"]) {
    case "text":
      return textBlock(part, "text", path);
    case "refusal":
      return textBlock(part, "refusal", path);
    case "thinking":
    case "redacted_thinking":
      return thinkingBlock(part);
    default:
      throw expected(path, 'a part of type "text" or "refusal"');
  }
}

/**
 * Reads a thinking block of an earlier answer and keeps it as it was. One without a signature cannot be
 * proven, so it would be refused upstream: null.
 */
export function thinkingBlock(value: Json): ThinkingBlock | RedactedThinkingBlock | null {
  if (!isJsonObject(value)) return null;
  const { type, thinking, signature, data } = value;
  if (type === "redacted_thinking") {
    return typeof data === "string" && data !== "" ? { type, data } : null;
  }
  if (type !== "thinking" || typeof signature !== "string" || signature === "") return null;
  return { type, thinking: typeof thinking === "string" ? thinking : "", signature };
}

/** Whether upstream would call the text empty. */
export function isBlank(text: string): boolean {
  return text.trim() === "";
}

function textBlock(part: JsonObject, member: string, path: string): TextBlock | null {
  const text = givenText(part, member, `${path}.${member}`);
  if (text === undefined) throw expected(`${path}.${member}`, "a string");
  if (isBlank(text)) return null;
  return marked({ type: "text", text }, part, path);
}

function imagePart(part: JsonObject, path: string): ImageBlock | DocumentBlock {
  const image = given(part, "image_url");
  const options = isJsonObject(image) ? image : {};
  const url = typeof image === "string" ? image : given(options, "url");
  const param = `${path}.image_url.url`;
  if (typeof url !== "string") throw expected(param, "a string");
  if (/^https?:\/\//i.test(url)) {
    return marked({ type: "image", source: { type: "url", url } }, part, path);
  }
  const data = dataUrl(url);
  if (data === null) throw expected(param, "a URL with the scheme data, http or https");
  const named = given(options, "format");
  const mediaType = typeof named === "string" ? named.toLowerCase() : data.mediaType;
  if (mediaType === "application/pdf") {
    return marked(pdf(base64(data, param)), part, path);
  }
  const wanted = mediaType === "image/jpg" ? "image/jpeg" : mediaType;
  const known = IMAGE_MEDIA_TYPES.find((type) => type === wanted);
  if (known === undefined) throw expected(param, `one of ${IMAGE_MEDIA_TYPES.join(", ")}`);
  const source = { type: "base64", media_type: known, data: base64(data, param) } as const;
  return marked({ type: "image", source }, part, path);
}

function filePart(part: JsonObject, path: string): DocumentBlock {
  const param = `${path}.file`;
  const file = objectAt(part["file"], param);
  const content = givenText(file, "file_data", `${param}.file_data`);
  if (content === undefined) throw expected(param, "file_data: files are not stored upstream");
  const document = fileDocument(content, `${param}.file_data`);
  const title = givenText(file, "filename", `${param}.filename`);
  if (title !== undefined && !isBlank(title)) document.title = title;
  return marked(document, part, path);
}

function fileDocument(content: string, param: string): DocumentBlock {
  const data = dataUrl(content);
  if (data?.mediaType === "application/pdf") return pdf(base64(data, param));
  if (data?.mediaType.startsWith("text/")) {
    const text = textOf(data, param);
    if (isBlank(text)) throw expected(param, "a text that is not blank");
    return { type: "document", source: { type: "text", media_type: "text/plain", data: text } };
  }
  throw expected(param, "a data URL of type application/pdf or text/plain");
}

function pdf(data: string): DocumentBlock {
  return { type: "document", source: { type: "base64", media_type: "application/pdf", data } };
}

interface DataUrl {
  readonly mediaType: string;
  readonly isBase64: boolean;
  readonly data: string;
}

function dataUrl(url: string): DataUrl | null {
  const comma = url.indexOf(",");
  if (comma === -1 || url.slice(0, 5).toLowerCase() !== "data:") return null;
  const [mediaType = "", ...parameters] = url.slice(5, comma).toLowerCase().split(";");
  const isBase64 = parameters.some((parameter) => parameter.trim() === "base64");
  return { mediaType: mediaType.trim() || "text/plain", isBase64, data: url.slice(comma + 1) };
}

function base64(url: DataUrl, param: string): string {
  const data = url.data.replace(/\s+/g, "");
  if (url.isBase64 && /^[A-Za-z0-9+/]+={0,2}$/.test(data)) return data;
  throw expected(param, "base64 data");
}

function textOf(url: DataUrl, param: string): string {
  try {
    if (!url.isBase64) return decodeURIComponent(url.data);
    const bytes = Buffer.from(base64(url, param), "base64");
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw expected(param, "text in UTF-8");
  }
}

/** Sets the breakpoint that a part carries on its block. */
function marked<B extends TextBlock | ImageBlock | DocumentBlock>(
  block: B,
  part: JsonObject,
  path: string,
): B {
  const control = cacheControl(part, path);
  if (control !== undefined) block.cache_control = control;
  return block;
}
