import { existsSync } from "node:fs";
import { type Machine, mustRun, placeOn, type Run } from "./machine.ts";
import { SERVICE } from "./places.ts";

const READ_JOURNAL = `see why: journalctl -u ${SERVICE} -n 50`;

/**
 * Returns how to run programs if systemd runs on this machine, else null: in a staging folder, in a container, or
 * under another init. What is left out then is said.
 */
function systemdOf(machine: Machine, leftOut: string): Run | null {
  const { run } = machine;
  const booted = existsSync(placeOn(machine, "/run/systemd/system"));
  if (run !== null && booted && run(["systemctl", "--version"])?.exitCode === 0) return run;
  const why = run === null ? "these files are for another machine" : "systemd does not run here";
  machine.say(`left out   ${leftOut}: ${why}`);
  return null;
}

/**
 * Lets systemd read the unit, starts the service at every boot from now on, and now: anew if it runs already and has
 * changed.
 *
 * @throws {SystemdError} If it does not start.
 */
export function startService(
  machine: Machine,
  { changed, start }: { readonly changed: boolean; readonly start: boolean },
): void {
  const run = systemdOf(machine, `systemctl enable ${start ? "--now " : ""}${SERVICE}`);
  if (run === null) return;
  mustRun(run, ["systemctl", "daemon-reload"], READ_JOURNAL);
  const active = isActive(run);
  mustRun(run, ["systemctl", "enable", SERVICE], READ_JOURNAL);
  if (!start) {
    const again = active && changed ? "still the old one" : active ? "unchanged" : "stopped";
    machine.say(`left alone ${SERVICE}.service: ${again}, enabled for the next boot`);
    return;
  }
  if (active && !changed) {
    machine.say(`unchanged  ${SERVICE}.service: running, enabled`);
    return;
  }
  if (active) machine.say(`restarting ${SERVICE}.service: calls in flight may take a while to end`);
  mustRun(run, ["systemctl", active ? "restart" : "start", SERVICE], READ_JOURNAL);
  machine.say(`${active ? "restarted " : "started   "} ${SERVICE}.service: running, enabled`);
}

/** Stops the service, for now and for every boot. @throws {SystemdError} If systemd does not. */
export function stopService(machine: Machine): void {
  const run = systemdOf(machine, `systemctl disable --now ${SERVICE}`);
  if (run === null) return;
  if (isActive(run)) machine.say(`stopping   ${SERVICE}.service: calls in flight may take a while`);
  mustRun(run, ["systemctl", "disable", "--now", SERVICE], READ_JOURNAL);
  machine.say(`stopped    ${SERVICE}.service: no longer enabled`);
}

/** Lets systemd forget a unit that is gone. */
export function forgetService(machine: Machine): void {
  const run = systemdOf(machine, "systemctl daemon-reload");
  if (run !== null) mustRun(run, ["systemctl", "daemon-reload"], READ_JOURNAL);
}

function isActive(run: Run): boolean {
  return run(["systemctl", "is-active", "--quiet", SERVICE])?.exitCode === 0;
}
