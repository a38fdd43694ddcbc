import type { Route } from "../std/router.ts";
import type { OrganizationAccess } from "./authorize.ts";
import type { OrganizationCall, UserCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import * as calls from "./calls.ts";
import * as inferenceKeys from "./inference_keys.ts";
import * as members from "./members.ts";
import * as organizations from "./organizations.ts";
import * as prices from "./prices.ts";
import * as providerConfigs from "./provider_configs.ts";
import * as settings from "./settings.ts";
import * as usage from "./usage.ts";

interface UserRoute extends Route {
  /** Whoever is signed in. */
  readonly access: "user";
  readonly handle: (call: UserCall, deps: ManagementDeps) => Promise<Response>;
}

interface OrganizationRoute extends Route {
  readonly access: OrganizationAccess;
  readonly handle: (call: OrganizationCall, deps: ManagementDeps) => Promise<Response>;
}

export type ManagementRoute = UserRoute | OrganizationRoute;

const INFERENCE = "/organizations/{orgId}/inference";
const MEMBERS = "/organizations/{orgId}/members";

/** Every route of the management plane, and who may use it. */
export const ROUTES: readonly ManagementRoute[] = [
  { method: "GET", pattern: "/organizations", access: "user", handle: organizations.list },
  // Published clients list with a slash at the end.
  { method: "GET", pattern: "/organizations/", access: "user", handle: organizations.list },
  {
    method: "GET",
    pattern: "/organizations/{orgId}",
    access: "member",
    handle: organizations.get,
  },
  { method: "GET", pattern: MEMBERS, access: "manager", handle: members.list },
  { method: "POST", pattern: MEMBERS, access: "manager", handle: members.add },
  {
    method: "DELETE",
    pattern: `${MEMBERS}/{userId}`,
    access: "manager",
    handle: members.remove,
  },
  {
    method: "GET",
    pattern: `${INFERENCE}/providers`,
    access: "manager",
    handle: providerConfigs.list,
  },
  {
    method: "PUT",
    pattern: `${INFERENCE}/providers`,
    access: "manager",
    handle: providerConfigs.put,
  },
  {
    method: "DELETE",
    pattern: `${INFERENCE}/providers/{provider}`,
    access: "manager",
    handle: providerConfigs.remove,
  },
  { method: "GET", pattern: `${INFERENCE}/keys`, access: "manager", handle: inferenceKeys.list },
  { method: "POST", pattern: `${INFERENCE}/keys`, access: "manager", handle: inferenceKeys.create },
  {
    method: "PATCH",
    pattern: `${INFERENCE}/keys/{keyId}`,
    access: "manager",
    handle: inferenceKeys.update,
  },
  {
    method: "DELETE",
    pattern: `${INFERENCE}/keys/{keyId}`,
    access: "manager",
    handle: inferenceKeys.revoke,
  },
  { method: "GET", pattern: `${INFERENCE}/settings`, access: "manager", handle: settings.get },
  { method: "PUT", pattern: `${INFERENCE}/settings`, access: "manager", handle: settings.put },
  { method: "GET", pattern: `${INFERENCE}/prices`, access: "manager", handle: prices.list },
  { method: "PUT", pattern: `${INFERENCE}/prices`, access: "manager", handle: prices.put },
  {
    method: "DELETE",
    pattern: `${INFERENCE}/prices/{provider}/{model}`,
    access: "manager",
    handle: prices.remove,
  },
  { method: "GET", pattern: `${INFERENCE}/usage`, access: "manager", handle: usage.get },
  { method: "GET", pattern: `${INFERENCE}/calls/{callId}`, access: "manager", handle: calls.get },
];
