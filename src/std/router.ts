/** A method and a path pattern, such as `GET` and `/books/{bookId}`. */
export interface Route {
  readonly method: string;
  /** Segments in braces take any one segment that is not empty. */
  readonly pattern: string;
}

export type RouteMatch<R extends Route> =
  | {
      readonly kind: "match";
      readonly route: R;
      /** The segments in braces by name, as they came: nothing is decoded. */
      readonly params: Readonly<Record<string, string>>;
    }
  | { readonly kind: "method_not_allowed"; readonly allowed: readonly string[] }
  | { readonly kind: "none" };

/**
 * Finds the first route that matches. Case and a trailing slash count.
 *
 * @param path The path as it came, before any decoding.
 */
export function findRoute<R extends Route>(
  routes: readonly R[],
  method: string,
  path: string,
): RouteMatch<R> {
  const allowed: string[] = [];
  for (const route of routes) {
    const params = matchPath(route.pattern, path);
    if (params === null) continue;
    if (route.method === method) return { kind: "match", route, params };
    if (!allowed.includes(route.method)) allowed.push(route.method);
  }
  return allowed.length === 0 ? { kind: "none" } : { kind: "method_not_allowed", allowed };
}

function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, segment] of given.entries()) {
    const part = wanted[index] ?? "";
    if (!part.startsWith("{")) {
      if (part !== segment) return null;
    } else if (segment === "") {
      return null;
    } else {
      params[part.slice(1, -1)] = segment;
    }
  }
  return params;
}
