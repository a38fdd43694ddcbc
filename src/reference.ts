import page from "./docs.html" with { type: "file" };
import style from "./docs.css" with { type: "file" };
import document from "./openapi.json" with { type: "file" };

/** Where the description of what is served lies, and the page that shows it. */
const FILES = new Map([
  ["/openapi.json", { file: pathOf(document), type: "application/json" }],
  ["/docs", { file: pathOf(page), type: "text/html; charset=utf-8" }],
  ["/docs/style.css", { file: pathOf(style), type: "text/css; charset=utf-8" }],
]);

const HEADERS = {
  // Until the program is replaced they stay as they are.
  "cache-control": "public, max-age=300",
  "content-security-policy":
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** Answers a request for the description of the interfaces: it holds no secrets. Null for every other path. */
export function reference(path: string): Response | null {
  const found = FILES.get(path);
  if (found === undefined) return path === "/docs/" ? withoutSlash() : null;
  return new Response(Bun.file(found.file), {
    headers: { ...HEADERS, "content-type": found.type },
  });
}

/** Returns the text of the OpenAPI document. */
export function openApiText(): Promise<string> {
  return Bun.file(pathOf(document)).text();
}

/** The page refers to its style sheet from where it lies. */
function withoutSlash(): Response {
  return new Response(null, { status: 308, headers: { ...HEADERS, location: "../docs" } });
}

/** Imported in this way, a file is its path, whatever the compiler takes it for. */
function pathOf(imported: unknown): string {
  if (typeof imported === "string") return imported;
  throw new TypeError("Cannot find embedded file: expected its path");
}
