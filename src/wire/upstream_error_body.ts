import { isJsonObject, type JsonObject } from "../std/json.ts";

/** What a provider said about its error. A text is never empty; a number given as a code is its digits. */
export interface UpstreamErrorBody {
  readonly message: string | null;
  readonly type: string | null;
  readonly code: string | null;
  readonly param: string | null;
  /** The whole body: parsed if it was JSON, else its text, shortened; null if it was empty. */
  readonly body: unknown;
}

/** Bounds what is kept of a body that is not JSON, such as the page of a gateway, in characters. */
export const MAX_ERROR_TEXT_CHARS = 2048;

/**
 * Reads the body of an error answer, whatever its shape: OpenAI's and Azure's `{error:{...}}`, Anthropic's
 * `{type:"error",error:{...}}`, a gateway's `{statusCode,message}`, Mistral's flat object whose message may
 * be a list of findings, a bare `{detail}`, a page of HTML, or nothing. Never throws.
 */
export function readUpstreamError(text: string): UpstreamErrorBody {
  const trimmed = text.trim();
  if (trimmed === "") return describeUpstreamError(null);
  try {
    return describeUpstreamError(JSON.parse(trimmed));
  } catch {
    const short = trimmed.slice(0, MAX_ERROR_TEXT_CHARS);
    return { ...NOTHING, message: short.startsWith("<") ? titleOf(short) : short, body: short };
  }
}

/** Reads an error that is already parsed, such as one inside a stream. Never throws. */
export function describeUpstreamError(body: unknown): UpstreamErrorBody {
  if (!isJsonObject(body)) return { ...NOTHING, message: textOf(body), body };
  const error = body["error"];
  if (!isJsonObject(error)) {
    // What some gateways call `error` is only the phrase of the status, beside the real message.
    const flat = describeFields(body);
    return { ...flat, message: flat.message ?? textOf(error), body };
  }
  return { ...describeFields(error), body };
}

/**
 * Returns how much of what was generated an error shows, in bytes of UTF-8: Groq quotes an answer that broke the
 * format asked for. Such a refusal came after the work, and must not be free.
 *
 * @param body The whole body, parsed. The error may stand in it, or one level deeper.
 */
export function generatedBytes(body: unknown): number {
  if (!isJsonObject(body)) return 0;
  for (const holder of [body, ...Object.values(body)]) {
    if (!isJsonObject(holder)) continue;
    const error = isJsonObject(holder["error"]) ? holder["error"] : holder;
    const shown = error["failed_generation"];
    if (typeof shown === "string") return Buffer.byteLength(shown);
  }
  return 0;
}

const NOTHING = { message: null, type: null, code: null, param: null };

function describeFields(error: JsonObject): Omit<UpstreamErrorBody, "body"> {
  const said = error["message"];
  const findings =
    findingsOf(error["detail"]) ?? findingsOf(isJsonObject(said) ? said["detail"] : said);
  return {
    message: textOf(said) ?? findings?.message ?? textOf(error["detail"]),
    type: textOf(error["type"]),
    code: codeOf(error),
    param: textOf(error["param"]) ?? findings?.param ?? null,
  };
}

/** Anthropic says the cause in `details`; gateways in front of Azure give only the status. */
function codeOf(error: JsonObject): string | null {
  const details = error["details"];
  const detailed = isJsonObject(details) ? textOf(details["error_code"]) : null;
  return textOf(error["code"]) ?? detailed ?? textOf(error["statusCode"]);
}

/** Reads findings of a validator: `[{loc: ["body", "messages", 0], msg: "..."}]`. What was sent is not quoted. */
function findingsOf(value: unknown): { message: string | null; param: string | null } | null {
  if (!Array.isArray(value)) return null;
  const findings = value.filter(isJsonObject).map((finding) => {
    const place = Array.isArray(finding["loc"]) ? finding["loc"].slice(1) : [];
    const path = place.map((step) => textOf(step) ?? "").join(".");
    return { path, text: textOf(finding["msg"]) ?? textOf(finding["message"]) };
  });
  const texts = findings
    .filter(({ text }) => text !== null)
    .map(({ path, text }) => (path === "" ? text : `${path}: ${text}`));
  return {
    message: textOf(texts.join("; ").slice(0, MAX_ERROR_TEXT_CHARS)),
    param: textOf(findings[0]?.path),
  };
}

function titleOf(html: string): string | null {
  return textOf(/<title>([^<]*)<\/title>/i.exec(html)?.[1]?.trim());
}

function textOf(value: unknown): string | null {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value.trim() !== "" ? value : null;
}
