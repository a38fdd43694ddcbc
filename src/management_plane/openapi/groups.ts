import type { RouteGroup, Schema } from "../../std/route_description.ts";
import type { ManagementErrorCode } from "../error_response.ts";
import { audit } from "./audit.ts";
import { calls } from "./calls.ts";
import { inferenceKeys } from "./inference_keys.ts";
import { masterKey } from "./master_key.ts";
import { members } from "./members.ts";
import { organizations } from "./organizations.ts";
import { prices } from "./prices.ts";
import { providerConfigs } from "./provider_configs.ts";
import { settings } from "./settings.ts";
import { id, label, provider } from "./shapes.ts";
import { status } from "./status.ts";
import { usage } from "./usage.ts";
import { users } from "./users.ts";

/** Every route of the management plane, described, in the order in which people meet them. */
export const GROUPS: readonly RouteGroup<ManagementErrorCode>[] = [
  organizations,
  members,
  providerConfigs,
  settings,
  inferenceKeys,
  usage,
  calls,
  prices,
  audit,
  users,
  masterKey,
  status,
];

/** The variable segments of paths. */
export const PATH_PARAMETERS: Readonly<Record<string, Schema>> = {
  orgId: id("The organization"),
  userId: id("The user"),
  provider: provider("The provider"),
  keyId: id("The inference key"),
  callId: id("The call: the `x-request-id` of its answer"),
  model: label("The model, in the provider's own words; a slash in it is escaped as `%2F`"),
};
