/** What stands on every answer: secrets pass here, so nothing keeps them or guesses at their type. */
const HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/** Answers with a JSON document. */
export function jsonResponse(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", ...HEADERS, ...headers },
  });
}

/** Answers that it is done, and that there is nothing to say. */
export function emptyResponse(): Response {
  return new Response(null, { status: 204, headers: HEADERS });
}
