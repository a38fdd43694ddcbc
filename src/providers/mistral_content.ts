import { invalidValue } from "../domain/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";

const PDF = /^data:application\/pdf[;,]/i;

/** Parts that only Mistral has. A client that sends one means it. */
const OWN_PARTS = new Set<Json | undefined>(["document_url", "reference", "thinking"]);

/**
 * Rewrites the content of a message for Mistral: a text, or parts in its own shapes.
 *
 * @param at Path of the message, such as `messages[2]`.
 * @throws {ProxyError} If Mistral has no form for a part.
 */
export function mistralContent(content: Json, at: string): Json {
  if (!Array.isArray(content)) return content;
  return content.map((part, index) => {
    const path = `${at}.content[${index}]`;
    if (!isJsonObject(part)) throw invalidValue(path, "Cannot send content part: it is no object");
    return contentPart(part, path);
  });
}

function contentPart(part: JsonObject, at: string): JsonObject {
  switch (part["type"]) {
    case "text":
      return { type: "text", text: part["text"] };
    case "refusal":
      return { type: "text", text: part["refusal"] };
    case "image_url":
      return { type: "image_url", image_url: image(part["image_url"]) };
    case "input_audio":
      return { type: "input_audio", input_audio: audio(part["input_audio"]) };
    case "file":
      return document(part["file"], at);
    default:
      if (OWN_PARTS.has(part["type"])) return part;
      throw invalidValue(at, "Cannot send content part: Mistral does not know its type");
  }
}

function image(given: Json | undefined): Json | undefined {
  if (!isJsonObject(given)) return given;
  const { url, detail } = given;
  if (typeof detail !== "string") return { url };
  return { url, detail: detail === "original" ? "high" : detail };
}

/** Mistral takes the encoded bytes alone and finds the format in them. */
function audio(given: Json | undefined): Json | undefined {
  return isJsonObject(given) ? given["data"] : given;
}

function document(given: Json | undefined, at: string): JsonObject {
  const { file_data: data, filename } = isJsonObject(given) ? given : {};
  if (typeof data !== "string" || !PDF.test(data)) {
    throw invalidValue(
      at,
      "Cannot send content part: Mistral takes a file only as a data URL of a PDF",
    );
  }
  return {
    type: "document_url",
    document_url: data,
    ...(typeof filename === "string" ? { document_name: filename } : {}),
  };
}
