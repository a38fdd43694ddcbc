import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startOurs } from "./ours.ts";
import { peakRssBytes } from "./process_figures.ts";
import { startPortkey } from "./portkey.ts";
import { findNginx, startFloor, startNginx } from "./relays.ts";
import type { Rig } from "./rig.ts";
import type { Target } from "./target.ts";

/** What can be measured beside each other. */
export type ProxyName =
  "direct" | "floor" | "nginx" | "ours" | "ours-normal" | "against" | "portkey";

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
    for (const target of new Set([...started, ours])) await target?.stop();
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
    case "against":
      return options.against === null ? null : startBuild(options.against, rig, name, folder);
    case "ours":
    case "ours-normal":
      return startBuild(options.binary, rig, name, folder);
  }
}

function startBuild(binary: string, rig: Rig, name: string, folder: string): Promise<Target> {
  return startOurs({
    binary,
    name,
    dataDir: join(folder, name),
    upstreamPort: rig.upstreamPort,
    synchronous: name === "ours-normal" ? "normal" : "full",
  });
}

/** Says how much memory each proxy has held at most. */
export function peakMemoryText(targets: readonly Target[]): string {
  const texts = targets
    .filter(({ name }) => name !== "direct")
    .map(({ name, pids }) => `${name} ${Math.round(peakRssBytes(pids) / 2 ** 20)} MB`);
  return `Peak memory: ${texts.join(", ")}.`;
}
