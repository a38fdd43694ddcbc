import { ProxyError } from "../domain/errors.ts";
import { requestTarget } from "../std/request_target.ts";
import { uuid7 } from "../std/uuid7.ts";
import type { Deps } from "./deps.ts";
import { answerOf } from "./failure.ts";
import { type Exchange, handleInference } from "./handler.ts";
import { listModels, showModel } from "./models.ts";
import { answerContext, CORS, errorResponse, jsonResponse } from "./response.ts";

/** Where the data plane lives. Clients are given this as their base URL. */
export const DATA_PLANE_PATH = "/inference/v1";

/** Every route, by method and pattern. Describe a new one in openapi/, or the tests will ask for it. */
export const SERVED = [
  `POST ${DATA_PLANE_PATH}/chat/completions`,
  `POST ${DATA_PLANE_PATH}/embeddings`,
  `GET ${DATA_PLANE_PATH}/models`,
  `GET ${DATA_PLANE_PATH}/models/{provider}/{model}`,
];

/** Serves every request of the data plane, whatever its path says. */
export async function serveDataPlane(exchange: Exchange, deps: Deps): Promise<Response> {
  const { request } = exchange;
  if (request.method === "OPTIONS") return preflight(request);
  const path = cleanPath(request.url);
  switch (path) {
    case `${DATA_PLANE_PATH}/chat/completions`:
      return requireMethod("POST", request, deps) ?? handleInference(exchange, "chat", deps);
    case `${DATA_PLANE_PATH}/embeddings`:
      return requireMethod("POST", request, deps) ?? handleInference(exchange, "embeddings", deps);
    case `${DATA_PLANE_PATH}/models`:
      return (
        requireMethod("GET", request, deps) ??
        answer(request, deps, () => listModels(request, deps))
      );
  }
  const model = modelOf(path);
  if (model === null) return answer(request, deps, () => unknownUrl(path));
  return (
    requireMethod("GET", request, deps) ??
    answer(request, deps, () => showModel(request, model, deps))
  );
}

/** Collapses doubled slashes and drops one at the end: clients join base URLs in many ways. */
function cleanPath(url: string): string {
  const { path } = requestTarget(url);
  if (!path.includes("//") && !path.endsWith("/")) return path;
  return path.replaceAll(/\/{2,}/g, "/").replace(/\/$/, "");
}

/** Returns the model behind `/models/`, whose slash some clients encode; null for another path. */
function modelOf(path: string): string | null {
  const prefix = `${DATA_PLANE_PATH}/models/`;
  if (!path.startsWith(prefix)) return null;
  try {
    return decodeURIComponent(path.slice(prefix.length));
  } catch {
    return null;
  }
}

function answer(request: Request, deps: Deps, body: () => string): Response {
  const context = answerContext(request, uuid7(deps.clock.wallMs()));
  try {
    return jsonResponse(body(), context);
  } catch (error) {
    deps.observer.refused(error);
    return errorResponse(answerOf(error, context.requestId, deps.log), context);
  }
}

function requireMethod(method: string, request: Request, deps: Deps): Response | null {
  if (request.method === method || (method === "GET" && request.method === "HEAD")) return null;
  return answer(request, deps, () => {
    throw new ProxyError(
      "method_not_allowed",
      `Cannot serve ${request.method}: this URL answers ${method}`,
      { headers: { allow: method } },
    );
  });
}

function unknownUrl(path: string): never {
  const hint = path.startsWith("/v1/")
    ? `; the base URL of a client should end in ${DATA_PLANE_PATH}`
    : "";
  throw new ProxyError(
    "unknown_url",
    `Cannot serve this URL: served are ${SERVED.join(", ")}${hint}`,
  );
}

/** Lets pages of any origin call with whatever headers their SDK sends. */
function preflight(request: Request): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...CORS,
      "access-control-allow-methods": "GET, POST, OPTIONS",
      "access-control-allow-headers":
        request.headers.get("access-control-request-headers") ?? "authorization, content-type",
      "access-control-max-age": "86400",
      vary: "access-control-request-headers",
    },
  });
}
