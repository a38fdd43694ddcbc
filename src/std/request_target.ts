/** What a request asks for, as it came: nothing is decoded, so `%2F` is no slash. */
export interface RequestTarget {
  /** Begins with a slash, or is empty. */
  readonly path: string;
  /** What follows the question mark; empty if there is none. */
  readonly query: string;
}

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i;

/**
 * Cuts path and query out of a request's URL. It takes every text: some requests have URLs that no parser
 * takes, and authorization must not depend on what a parser makes of a path.
 */
export function requestTarget(url: string): RequestTarget {
  const start = ORIGIN.exec(url)?.[0].length ?? 0;
  const hash = url.indexOf("#", start);
  const end = hash === -1 ? url.length : hash;
  const mark = url.indexOf("?", start);
  if (mark === -1 || mark > end) return { path: url.slice(start, end), query: "" };
  return { path: url.slice(start, mark), query: url.slice(mark + 1, end) };
}
