import type { Route } from "../std/router.ts";
import type { OrganizationAccess } from "./authorize.ts";
import type { OperatorCall, OrganizationCall, UserCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import * as audit from "./audit.ts";
import * as calls from "./calls.ts";
import * as checks from "./checks.ts";
import * as inferenceKeys from "./inference_keys.ts";
import * as masterKey from "./master_key.ts";
import * as members from "./members.ts";
import * as organizations from "./organizations.ts";
import * as prices from "./prices.ts";
import * as providerConfigs from "./provider_configs.ts";
import * as providerTest from "./provider_test.ts";
import * as settings from "./settings.ts";
import * as status from "./status.ts";
import * as usage from "./usage.ts";
import * as users from "./users.ts";

interface UserRoute extends Route {
  /** Whoever is signed in. */
  readonly access: "user";
  readonly handle: (call: UserCall, deps: ManagementDeps) => Promise<Response>;
}

interface OrganizationRoute extends Route {
  readonly access: OrganizationAccess;
  readonly handle: (call: OrganizationCall, deps: ManagementDeps) => Promise<Response>;
}

interface OperatorRoute extends Route {
  /** The operator, over the control socket. The network is told that nothing is there. */
  readonly access: "operator";
  readonly handle: (call: OperatorCall, deps: ManagementDeps) => Promise<Response>;
}

export type ManagementRoute = UserRoute | OrganizationRoute | OperatorRoute;

const INFERENCE = "/organizations/{orgId}/inference";
const MEMBERS = "/organizations/{orgId}/members";

/**
 * Every route of the management plane, and who may use it. A new one is described in `openapi/`, in the file of its
 * noun, for `/openapi.json` and `/docs`: the tests ask for it.
 */
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
  {
    method: "POST",
    pattern: `${INFERENCE}/providers/{provider}/test`,
    access: "manager",
    handle: providerTest.run,
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
  { method: "GET", pattern: `${INFERENCE}/audit`, access: "manager", handle: audit.list },
  { method: "GET", pattern: `${INFERENCE}/calls/{callId}`, access: "manager", handle: calls.get },
  { method: "GET", pattern: "/operator/audit", access: "operator", handle: audit.listAll },
  { method: "GET", pattern: "/operator/status", access: "operator", handle: status.get },
  { method: "GET", pattern: "/operator/checks", access: "operator", handle: checks.get },
  {
    method: "POST",
    pattern: "/operator/organizations",
    access: "operator",
    handle: organizations.create,
  },
  { method: "GET", pattern: "/operator/users", access: "operator", handle: users.list },
  { method: "POST", pattern: "/operator/users", access: "operator", handle: users.create },
  {
    method: "PUT",
    pattern: "/operator/users/{userId}/password",
    access: "operator",
    handle: users.replacePassword,
  },
  {
    method: "POST",
    pattern: "/operator/users/{userId}/unlock",
    access: "operator",
    handle: users.unlock,
  },
  {
    method: "DELETE",
    pattern: "/operator/users/{userId}",
    access: "operator",
    handle: users.remove,
  },
  { method: "GET", pattern: "/operator/master-key", access: "operator", handle: masterKey.get },
  {
    method: "POST",
    pattern: "/operator/master-key/rotation",
    access: "operator",
    handle: masterKey.rotate,
  },
  {
    method: "POST",
    pattern: "/operator/master-key/rotation/finish",
    access: "operator",
    handle: masterKey.finish,
  },
];
