import { judgeHost } from "../std/own_host.ts";
import { errorResponse, ManagementError } from "./error_response.ts";

/**
 * Refuses a request for another host than this one, such as a page sends whose owner lets the page's name point
 * here: to the browser it then is the page's own site.
 *
 * @param names The names of this host, beside `localhost` and addresses.
 * @returns The answer to such a request; null for every other.
 */
export function refuseOtherHost(request: Request, names: ReadonlySet<string>): Response | null {
  const host = request.headers.get("host");
  const verdict = judgeHost(host, names);
  if (verdict === "own") return null;
  const error = verdict === "malformed" ? malformedHost() : unknownHost(host ?? "");
  return errorResponse(error);
}

function malformedHost(): ManagementError {
  const message = "Cannot answer: expected one Host header that names a host";
  return new ManagementError("invalid_request", message);
}

function unknownHost(host: string): ManagementError {
  const name = host.replace(/:\d*$/, "");
  return new ManagementError(
    "unknown_host",
    `Cannot answer for host "${name}": it is not known to be this one; its operator can add it with --host-name ${name}`,
  );
}
