/** What a request asks for, as it came: nothing is decoded, so `%2F` is no slash. */
export interface RequestTarget {
  /** Begins with a slash, or is empty. */
  readonly path: string;
  /** What follows the question mark; empty if there is none. */
  readonly query: string;
}

/**
 * Cuts path and query out of a request's URL. It takes every text: some requests have URLs that no parser
 * takes, and authorization must not depend on what a parser makes of a path.
 */
export function requestTarget(url: string): RequestTarget {
  const origin = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(url);
  const [target = ""] = url.slice(origin?.[0].length ?? 0).split("#", 1);
  const mark = target.indexOf("?");
  return mark === -1
    ? { path: target, query: "" }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}
