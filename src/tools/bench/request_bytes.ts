import type { LoadPlan } from "./load_plan.ts";

/** The requests of the last plan: rounds repeat them, and a hundred thousand take their time to write. */
let last: { readonly name: string; readonly requests: readonly Buffer[] } | null = null;

/** Returns the bytes of one request for each key. @param keys One per line. */
export function requestsOf(
  { path, headers, body }: Pick<LoadPlan, "path" | "headers" | "body">,
  keys: string,
): readonly Buffer[] {
  const name = JSON.stringify([path, headers, body, keys]);
  if (last?.name !== name) {
    const requests = keys
      .trim()
      .split("\n")
      .map((key) => requestBytes(path, { authorization: `Bearer ${key}`, ...headers }, body));
    last = { name, requests };
  }
  return last.requests;
}

/** Writes one HTTP/1.1 request as most clients do. */
export function requestBytes(
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Buffer {
  const all = {
    host: "127.0.0.1",
    connection: "keep-alive",
    accept: "application/json",
    "content-type": "application/json",
    "user-agent": "bench/1",
    ...headers,
    "content-length": String(Buffer.byteLength(body)),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
}
