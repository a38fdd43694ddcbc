import { requestTarget } from "../../src/std/request_target.ts";
import { findRoute, type Route } from "../../src/std/router.ts";
import { SseParser } from "../../src/std/sse.ts";
import { makeDocument } from "../../src/tools/openapi/document.ts";
import type {
  Media,
  Operation,
  Reference,
  ResponseObject,
} from "../../src/tools/openapi/operation.ts";
import { faults, type Rules } from "./json_schema.ts";

/** The document, as the code says it now. */
export const DOCUMENT = makeDocument();

/** No answer may have a member that is not described, though a provider may add some one day. */
const STRICT: Rules = { schemas: DOCUMENT.components.schemas, strict: true };

interface DescribedRoute extends Route {
  readonly operation: Operation;
}

const ROUTES: readonly DescribedRoute[] = Object.entries(DOCUMENT.paths).flatMap(
  ([pattern, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      return { method: method.toUpperCase(), pattern, operation };
    }),
);

/** An answer to hold against the document. */
export interface GivenAnswer {
  readonly method: string;
  /** The path, with or without a query. */
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** What an answer is, once it fits: a route's own, or the plane's word that there is none. */
export interface FittingAnswer {
  /** Method and pattern; empty if no route is there. */
  readonly route: string;
  readonly status: number;
  /** The code of an error, or of the error that ends a stream; empty for a success. */
  readonly code: string;
}

/** Holds an answer against the document, strictly. @throws {Error} Saying what does not fit, and where. */
export function fitting(answer: GivenAnswer): FittingAnswer {
  const { path } = requestTarget(answer.path);
  const found = findRoute(ROUTES, answer.method, path);
  const code = codeOf(parsed(answer.text));
  if (found.kind !== "match") {
    if (code === "unknown_url" || code === "method_not_allowed" || answer.status < 500) {
      return { route: "", status: answer.status, code };
    }
    throw new Error(`Cannot fit ${answer.method} ${path}: it answers ${answer.status} ${code}`);
  }
  const { method, pattern, operation } = found.route;
  // The network is told that nothing is there.
  if (operation["x-local-only"] === true && code === "unknown_url") {
    return { route: "", status: answer.status, code };
  }
  const route = `${method} ${pattern}`;
  const wrong = [
    ...headerFaults(answer, operation),
    ...(answer.status < 400 ? successFaults(answer, operation) : errorFaults(answer, operation)),
  ];
  if (wrong.length === 0) return { route, status: answer.status, code: code || lastCode(answer) };
  throw new Error(
    `Cannot fit the ${answer.status} of ${route} to its description:\n  ${wrong.join("\n  ")}\n${answer.text.slice(0, 2000)}`,
  );
}

/** Returns what the document says of an answer with this status. */
function responseOf({ responses }: Operation, status: number): ResponseObject | null {
  const response = responses[status] ?? responses["default"];
  return response === undefined ? null : resolved(response);
}

function resolved(response: ResponseObject | Reference): ResponseObject | null {
  if (!("$ref" in response)) return response;
  return DOCUMENT.components.responses[response.$ref.split("/").at(-1) ?? ""] ?? null;
}

function successFaults({ status, headers, text }: GivenAnswer, operation: Operation): string[] {
  const response = responseOf(operation, status);
  if (operation.responses[status] === undefined || response === null) {
    return [`status ${status} is not described`];
  }
  if (response.content === undefined) return text === "" ? [] : ["there is a body"];
  const type = mediaType(headers);
  const media = response.content[type];
  if (media === undefined) return [`type "${type}" is not described`];
  return type === "text/event-stream" ? streamFaults(text, media) : bodyFaults(text, media);
}

function errorFaults({ status, headers, text }: GivenAnswer, operation: Operation): string[] {
  const passed = isPassedThrough(parsed(text)) ? operation.responses["default"] : undefined;
  const response = passed === undefined ? responseOf(operation, status) : resolved(passed);
  if (response === null) return [`status ${status} ${codeOf(parsed(text))} is not described`];
  const type = mediaType(headers);
  const media = response.content?.[type];
  if (media === undefined) return [`type "${type}" is not described`];
  const codes = response["x-codes"];
  const code = codeOf(parsed(text));
  const known = codes === undefined || codes.includes(code);
  return [...(known ? [] : [`code "${code}" is not described`]), ...bodyFaults(text, media)];
}

function bodyFaults(text: string, { schema }: Media): string[] {
  const body = parsed(text);
  return body === undefined ? ["the body is no JSON"] : faults(body, schema, STRICT);
}

/** Each event is a chunk, or the error that ends the stream. */
function streamFaults(text: string, media: Media): string[] {
  const chunk = media["x-event-schema"] ?? {};
  const error = { $ref: "#/components/schemas/InferenceError" };
  return eventsOf(text)
    .filter((data) => data !== "[DONE]")
    .flatMap((data) => {
      const value = parsed(data);
      const schema = codeOf(value) === "" ? chunk : error;
      return faults(value, schema, STRICT);
    });
}

/** Headers of our own and those that clients act on must be named, if the plane names any. */
function headerFaults({ status, headers }: GivenAnswer, operation: Operation): string[] {
  const named = responseOf(operation, status)?.headers;
  if (named === undefined) return [];
  return [...headers.keys()]
    .filter((name) => /^x-|^retry-after/.test(name) && name !== "x-accel-buffering")
    .filter((name) => named[name] === undefined)
    .map((name) => `header "${name}" is not described`);
}

function eventsOf(text: string): string[] {
  return new SseParser().push(new TextEncoder().encode(text)).map((event) => event.data);
}

function mediaType(headers: Headers): string {
  return (headers.get("content-type") ?? "").split(";")[0] ?? "";
}

function lastCode({ headers, text }: GivenAnswer): string {
  if (mediaType(headers) !== "text/event-stream") return "";
  return codeOf(parsed(eventsOf(text).at(-1) ?? ""));
}

/** Returns the code of an error of either plane; empty if it is none. */
function codeOf(body: unknown): string {
  const { error, code } = (body ?? {}) as { error?: unknown; code?: unknown };
  if (typeof error === "string") return String(code);
  if (typeof error !== "object" || error === null) return "";
  return String((error as { code?: unknown }).code);
}

/** Whether an error is a provider's, with its own status and code. */
function isPassedThrough(body: unknown): boolean {
  const { error } = (body ?? {}) as { error?: unknown };
  if (typeof error !== "object" || error === null) return false;
  return "upstream_status" in error && codeOf(body) !== "upstream_error";
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
