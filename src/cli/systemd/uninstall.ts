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
  machine.say(["", ...whatStays(machine)].join("\n"));
}

function whatStays(machine: Machine): string[] {
  const hasDropIns = existsSync(placeOn(machine, PLACES.dropIns));
  const dropIns = hasDropIns
    ? [`Kept too: changes of your own to the unit in ${PLACES.dropIns}.`]
    : [];
  const { dataDir, configuration, settings, sysusers } = PLACES;
  const all = [dataDir, configuration, settings, sysusers, ...(hasDropIns ? [PLACES.dropIns] : [])];
  return [
    `Kept: the data in ${dataDir}, the master key in ${configuration},`,
    `the settings in ${settings} and the user ${SERVICE}.`,
    ...dropIns,
    "To remove them for good, with every bill and every stored provider key:",
    `  rm -r ${all.join(" ")}`,
    `  userdel ${SERVICE}`,
  ];
}
