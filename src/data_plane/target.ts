import { PROVIDERS } from "../providers/registry.ts";
import type { Call } from "./call.ts";
import type { Connection } from "./connections.ts";
import type { Deps } from "./deps.ts";
import { route, type Target } from "./route.ts";
import type { UpstreamHost } from "./upstream_host.ts";

/** A target whose provider key is open, and the host that it is for. */
export interface OpenTarget extends Target {
  readonly connection: Connection;
  /** The host of the chosen base URL: what was decided on is what is called. */
  readonly host: UpstreamHost;
}

/**
 * Chooses a call's target and opens its provider key. Opening takes a moment in which the config may
 * change, so the choice is made again after it: what is returned was true at the time of returning.
 *
 * @throws {ProxyError} As `route` does, or if the provider key cannot be opened.
 */
export async function chooseTarget(
  call: Call,
  organizationId: string,
  { directory, connections, hosts }: Pick<Deps, "directory" | "connections" | "hosts">,
): Promise<OpenTarget> {
  for (;;) {
    const target = atTier(call, route(call, directory.organization(organizationId)));
    const connection = connections.opened(target.config);
    if (connection !== undefined) return { ...target, connection, host: hosts.of(target.baseUrl) };
    await connections.open(PROVIDERS[target.provider.id], target.config);
  }
}

/** Clients choose how dear a call is: what is asked for is charged, whether or not it was to be had. */
function atTier({ body }: Call, target: Target): Target {
  const tier = body["service_tier"];
  if (typeof tier !== "string") return target;
  const percent = target.provider.tierPercents?.get(tier);
  if (percent === undefined) return target;
  return { ...target, pricePercent: (target.pricePercent * percent) / 100 };
}
