import * as v from "valibot";
import { parseJsonObject } from "../std/json.ts";
import { JsonTextError, scanObject } from "../std/json_text.ts";
import { ManagementError } from "./error_response.ts";

/** Bounds a request body, in bytes. */
const BODY_BYTES_MAX = 64 * 1024;

/** The members of a body by name. Any other member is refused. */
type BodySchema = v.StrictObjectSchema<v.ObjectEntries, undefined>;

/**
 * Waits for a request's body, which may take its time.
 *
 * @returns A request with the same headers whose body is there; the request itself if it has none.
 * @throws {ManagementError} If the body is too large, or its client has gone.
 */
export async function withBody(request: Request): Promise<Request> {
  if (request.body === null) return request;
  const body = await readBytes(request);
  // Its URL may be one that no parser takes, and has been looked at.
  return new Request("http://localhost", { method: "POST", headers: request.headers, body });
}

/**
 * Reads the JSON object in a request's body.
 *
 * @throws {ManagementError} If it is no JSON object, too large, has an unknown field, or a wrong value.
 */
export async function readBody<Schema extends BodySchema>(
  request: Request,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  requireJson(request);
  const text = await readText(request);
  const body = parseJsonObject(text);
  if (body === null) throw invalid("Cannot read body: expected a JSON object");
  try {
    scanObject(text);
  } catch (error) {
    throw error instanceof JsonTextError ? invalid(error.message) : error;
  }
  // Published clients send this member of a wider API; null says that they mean nothing by it.
  if (body["service_id"] === null) delete body["service_id"];
  const result = v.safeParse(schema, body, { abortEarly: true });
  if (result.success) return result.output;
  throw invalid(describe(result.issues[0]));
}

/** Says what is wrong without repeating the value: it may be a secret. */
function describe(issue: v.BaseIssue<unknown>): string {
  const key = issue.path?.[0]?.key;
  const field = typeof key === "string" ? key : "";
  if (issue.type !== "strict_object") return `Cannot use field "${field}": ${issue.message}`;
  return issue.expected === "never"
    ? `Cannot use field "${field}": there is no such field`
    : `Cannot read body: field "${field}" is missing`;
}

function requireJson(request: Request): void {
  const [type = ""] = (request.headers.get("content-type") ?? "").split(";");
  if (type.trim().toLowerCase() !== "application/json" || request.headers.has("content-encoding")) {
    throw new ManagementError(
      "unsupported_media_type",
      'Cannot read body: expected content type "application/json" and no content encoding',
    );
  }
}

async function readText(request: Request): Promise<string> {
  const bytes = await readBytes(request);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalid("Cannot read body: it is not UTF-8");
  }
}

function readBytes(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  return readPieces(request).catch((error: unknown) => {
    // Nobody is there to read the answer, and it is no fault of ours.
    if (request.signal.aborted) throw invalid("Cannot read body: the client has gone");
    throw error;
  });
}

async function readPieces(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  const body: AsyncIterable<Uint8Array> | readonly Uint8Array[] = request.body ?? [];
  // Leaving the loop early cancels the rest of the body.
  for await (const piece of body) {
    size += piece.length;
    if (size > BODY_BYTES_MAX) {
      throw new ManagementError(
        "request_too_large",
        `Cannot read body: it is longer than ${BODY_BYTES_MAX} bytes`,
      );
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function invalid(message: string): ManagementError {
  return new ManagementError("invalid_request", message);
}
