import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startOurs } from "./ours.ts";
import { startPortkey } from "./portkey.ts";
import { findNginx, startFloor, startNginx } from "./relays.ts";
import type { Rig } from "./rig.ts";
import type { Target } from "./target.ts";

/** What can be measured beside each other. */
export type ProxyName = "direct" | "floor" | "nginx" | "ours" | "ours-normal" | "portkey";

/** The name of the proxy as it is meant to run: every control on, every commit flushed to disk. */
export const OURS = "ours";

let folders = 0;

/**
 * Starts proxies of their own for one part of the benchmark, and stops them at its end.
 *
 * Those that this machine does not have, or that were not asked for, are left out.
 */
export async function withProxies<Result>(
  rig: Rig,
  names: readonly ProxyName[],
  use: (targets: readonly Target[]) => Promise<Result>,
): Promise<Result> {
  const folder = join(rig.folder, `proxies-${(folders += 1)}`);
  mkdirSync(folder, { recursive: true });
  const ours = await startOne(rig, "ours", folder, "");
  const started: Target[] = [];
  try {
    for (const name of names) {
      const target = name === OURS ? ours : await startOne(rig, name, folder, ours?.keysFile ?? "");
      if (target !== null) started.push(target);
    }
    return await use(started);
  } finally {
    await Promise.all([...new Set([...started, ours])].map((target) => target?.stop()));
  }
}

async function startOne(
  rig: Rig,
  name: ProxyName,
  folder: string,
  keysFile: string,
): Promise<Target | null> {
  const { upstreamPort, options } = rig;
  const relay = { upstreamPort, keysFile, folder };
  const nginx = findNginx();
  switch (name) {
    case "direct":
      return rig.direct(keysFile);
    case "floor":
      return startFloor(relay);
    case "nginx":
      return nginx === null ? null : startNginx(nginx, relay);
    case "portkey":
      return options.portkey ? startPortkey(relay) : null;
    case "ours":
    case "ours-normal": {
      const synchronous = name === "ours" ? "full" : "normal";
      const dataDir = join(folder, name);
      return startOurs({ binary: options.binary, name, dataDir, upstreamPort, synchronous });
    }
  }
}
