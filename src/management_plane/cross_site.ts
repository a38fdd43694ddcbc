import { ManagementError } from "./error_response.ts";

/**
 * Refuses requests that another site's page makes a browser send: it attaches basic credentials by itself.
 * Programs send neither of the headers looked at.
 *
 * @throws {ManagementError} If the request changes something and comes from another site.
 */
export function refuseCrossSite(request: Request): void {
  if (request.method === "GET") return;
  const site = request.headers.get("sec-fetch-site") ?? "none";
  if (site !== "none" && site !== "same-origin") throw crossSite();
  const origin = request.headers.get("origin");
  const own = request.headers.get("host") ?? "";
  if (origin !== null && (own === "" || hostOf(origin) !== own)) throw crossSite();
}

/** Returns the host and port of an origin; nothing for the opaque one, which is nobody's own. */
function hostOf(origin: string): string {
  return /^https?:\/\/([^/]+)$/.exec(origin)?.[1] ?? "";
}

function crossSite(): ManagementError {
  return new ManagementError(
    "cross_site_request",
    "Cannot act on request: it comes from a page of another site",
  );
}
