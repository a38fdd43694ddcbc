import type { DIALECTS } from "./openai_dialects.ts";

/** Who is addressed: a speaker of the OpenAI wire, or Anthropic. */
export type Speaker = keyof typeof DIALECTS | "anthropic";

/** What a request is for. */
export interface Route {
  readonly speaker: Speaker;
  readonly operation: "chat" | "embeddings" | "messages" | "models";
  /** The deployment that the path names, as Azure's older form does. */
  readonly deployment: string | null;
}

/** Where each speaker's API begins, below the address of the stand-in. */
export const PREFIXES = {
  openai: "/v1",
  anthropic: "",
  mistral: "/mistral/v1",
  groq: "/groq/openai/v1",
  azure: "/azure",
} as const satisfies Record<Speaker, string>;

const OPERATIONS = {
  "POST /chat/completions": "chat",
  "POST /embeddings": "embeddings",
  "GET /models": "models",
} as const;

/** Returns what a request is for, or null if there is nothing at its path. */
export function routeOf(request: Request): Route | null {
  const url = new URL(request.url);
  const path = url.pathname;
  const plain = { deployment: null };
  if (path === "/v1/messages" && request.method === "POST")
    return { speaker: "anthropic", operation: "messages", ...plain };
  if (path === "/v1/models" && request.headers.has("anthropic-version"))
    return { speaker: "anthropic", operation: "models", ...plain };
  const classic = /^\/azure\/openai\/deployments\/([^/]+)(\/.+)$/.exec(path);
  if (classic !== null) {
    const operation = operationOf(request.method, classic[2] ?? "");
    // The API takes its version exactly once.
    if (operation === null || url.searchParams.getAll("api-version").length !== 1) return null;
    return { speaker: "azure", operation, deployment: decodeURIComponent(classic[1] ?? "") };
  }
  if (path === "/azure/openai/models" && url.searchParams.has("api-version"))
    return request.method === "GET" ? { speaker: "azure", operation: "models", ...plain } : null;
  const bases = { ...PREFIXES, azure: "/azure/openai/v1" };
  for (const speaker of ["openai", "mistral", "groq", "azure"] as const) {
    if (!path.startsWith(`${bases[speaker]}/`)) continue;
    const operation = operationOf(request.method, path.slice(bases[speaker].length));
    return operation === null ? null : { speaker, operation, ...plain };
  }
  return null;
}

function operationOf(method: string, path: string): Route["operation"] | null {
  const name = `${method} ${path}`;
  return name in OPERATIONS ? OPERATIONS[name as keyof typeof OPERATIONS] : null;
}
