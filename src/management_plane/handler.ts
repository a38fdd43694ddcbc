import { requestTarget } from "../std/request_target.ts";
import { findRoute } from "../std/router.ts";
import { isDatabaseTrouble } from "../store/sqlite.ts";
import { type Authenticate, createAuthenticator } from "./authenticate.ts";
import { authorize, requireSameOrganization } from "./authorize.ts";
import { refuseCrossSite } from "./cross_site.ts";
import type { Peer } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import { withBody } from "./read_body.ts";
import { errorResponse, ManagementError } from "./error_response.ts";
import { LoginThrottle } from "./login_throttle.ts";
import { type ManagementRoute, ROUTES } from "./routes.ts";

/** Answers one request. It never rejects: whatever goes wrong is answered. */
export type ManagementPlane = (request: Request, peer: Peer) => Promise<Response>;

/** What the network is served: everything but the operator's own routes. */
const NETWORK_ROUTES = ROUTES.filter((route) => route.access !== "operator");

/** Creates the management plane: it answers `/organizations`, and to the operator also `/operator`. */
export function createManagementPlane(parts: Omit<ManagementDeps, "throttle">): ManagementPlane {
  const deps: ManagementDeps = { ...parts, throttle: new LoginThrottle(parts.clock) };
  const authenticate = createAuthenticator(deps);
  return async (request, peer) => {
    try {
      return await serve(request, peer, authenticate, deps);
    } catch (error) {
      if (error instanceof ManagementError) return errorResponse(error);
      deps.log.error("management request failed", { method: request.method, error: `${error}` });
      return errorResponse(isDatabaseTrouble(error) ? comeBack() : ourFault());
    }
  };
}

function comeBack(): ManagementError {
  const message = "Cannot answer: the database cannot be used now";
  return new ManagementError("overloaded", message, { "retry-after": "2" });
}

function ourFault(): ManagementError {
  return new ManagementError("internal_error", "Cannot answer: a fault of ours");
}

async function serve(
  given: Request,
  peer: Peer,
  authenticate: Authenticate,
  deps: ManagementDeps,
): Promise<Response> {
  const target = requestTarget(given.url);
  const routes = peer.isOperator ? ROUTES : NETWORK_ROUTES;
  const { route, params } = find(routes, given.method, target.path);
  refuseCrossSite(given);
  const signIn = () => (peer.isOperator ? null : authenticate(given, peer.address));
  const known = await signIn();
  const request = await withBody(given);
  // While a body was on its way, its sender may have been removed or the password changed.
  const user = request === given ? known : await signIn();
  const act = {
    actor: user?.name ?? "operator",
    address: peer.address,
    nowMs: deps.clock.wallMs(),
  };
  const call = { request, user, query: new URLSearchParams(target.query), act };
  if (route.access === "operator") return route.handle({ ...call, params }, deps);
  if (route.access === "user") return route.handle(call, deps);
  const organization = await authorize(deps.db, user, params["orgId"] ?? "", route.access);
  requireSameOrganization(request, organization.id);
  return route.handle({ ...call, organization, params }, deps);
}

function find(
  routes: readonly ManagementRoute[],
  method: string,
  path: string,
): { readonly route: ManagementRoute; readonly params: Readonly<Record<string, string>> } {
  const found = findRoute(routes, method, path);
  if (found.kind === "match") return found;
  if (found.kind === "none")
    throw new ManagementError("unknown_url", "Cannot find URL: nothing is served there");
  const allow = found.allowed.join(", ");
  throw new ManagementError("method_not_allowed", `Cannot use method here: expected ${allow}`, {
    allow,
  });
}
