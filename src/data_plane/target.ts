import { PROVIDERS } from "../providers/registry.ts";
import type { Call } from "./call.ts";
import type { Connection } from "./connections.ts";
import type { Deps } from "./deps.ts";
import { route, type Target } from "./route.ts";

/** A target whose provider key is open. */
export interface OpenTarget extends Target {
  readonly connection: Connection;
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
  { directory, connections }: Pick<Deps, "directory" | "connections">,
): Promise<OpenTarget> {
  for (;;) {
    const target = route(call, directory.organization(organizationId));
    const connection = connections.opened(target.config);
    if (connection !== undefined) return { ...target, connection };
    await connections.open(PROVIDERS[target.provider.id], target.config);
  }
}
