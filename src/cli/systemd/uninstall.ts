import { existsSync } from "node:fs";
import { removeFile } from "./files.ts";
import { type Machine, mustBeRoot, placeOn } from "./machine.ts";
import { PLACES, SERVICE } from "./places.ts";
import { forgetService, stopService } from "./service_control.ts";

/**
 * Removes the service and its program. What cannot be made again stays, and is named: data, keys, settings, user.
 *
 * @throws {SystemdError} If this user may not, or the service does not stop.
 */
export function uninstall(machine: Machine): void {
  mustBeRoot(machine, "uninstall");
  const hasUnit = existsSync(placeOn(machine, PLACES.unit));
  if (hasUnit) stopService(machine);
  for (const path of [PLACES.unit, PLACES.binary]) {
    const removed = removeFile(placeOn(machine, path));
    machine.say(`${(removed ? "removed" : "not there").padEnd(10)} ${path}`);
  }
  if (hasUnit) forgetService(machine);
  machine.say(["", ...whatStays()].join("\n"));
}

function whatStays(): string[] {
  return [
    `Kept: the data in ${PLACES.dataDir}, the master key in ${PLACES.configuration},`,
    `the settings in ${PLACES.settings} and the user ${SERVICE}.`,
    "To remove them for good, with every bill and every stored provider key:",
    `  rm -r ${PLACES.dataDir} ${PLACES.configuration} ${PLACES.settings} ${PLACES.sysusers}`,
    `  userdel ${SERVICE}`,
  ];
}
