import { existsSync } from "node:fs";
import { type Machine, placeOn, textOn } from "../systemd/machine.ts";
import { deniedResolvers } from "../systemd/metadata_addresses.ts";
import { PLACES, SERVICE } from "../systemd/places.ts";
import { unitText } from "../systemd/unit.ts";
import { type Check, ok, warn } from "./check.ts";

const NAME = "systemd";

/** Compares the unit of a machine with the one that this version would install. Without a unit there is nothing to say. */
export function checkService(machine: Machine): Check[] {
  const installed = textOn(machine, PLACES.unit);
  if (installed === "") return [];
  const [, binary = PLACES.binary] = /^ExecStart=(\S+) serve$/m.exec(installed) ?? [];
  const [, dataDir = PLACES.dataDir] =
    /^Environment=INFERENCE_PROXY_DATA_DIR=(\S+)$/m.exec(installed) ?? [];
  const allowedResolvers = deniedResolvers(textOn(machine, "/etc/resolv.conf"));
  const isUpToDate = installed === unitText({ binary, dataDir, allowedResolvers });
  return [
    isUpToDate ? ok(NAME, `${PLACES.unit} is up to date`) : OUTDATED,
    ...checkEnabled(machine),
  ];
}

const OUTDATED = warn(
  NAME,
  `${PLACES.unit} is not the one that this version installs`,
  `inference-proxy systemd install; changes of your own belong in a drop-in: systemctl edit ${SERVICE}`,
);

function checkEnabled(machine: Machine): Check[] {
  const { run } = machine;
  if (run === null || !existsSync(placeOn(machine, "/run/systemd/system"))) return [];
  if (run(["systemctl", "is-enabled", "--quiet", SERVICE])?.exitCode === 0)
    return [ok("start at boot", `${SERVICE}.service is enabled`)];
  const detail = `${SERVICE}.service is not enabled`;
  return [warn("start at boot", detail, `systemctl enable ${SERVICE}`)];
}
