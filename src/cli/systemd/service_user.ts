import { putText } from "./files.ts";
import { type Machine, mustRun, placeOn, textOn } from "./machine.ts";
import { PLACES, SERVICE } from "./places.ts";

/** What systemd makes a system user from. */
const SYSUSERS = `# The user that ${SERVICE}.service runs as.
u ${SERVICE} - "Inference Proxy" ${PLACES.dataDir} /usr/sbin/nologin
`;

/**
 * Makes the system user that the service runs as, unless it is there. In a staging folder only its description is
 * put down, which systemd makes a user from when the machine starts.
 *
 * @throws {SystemdError} If the machine does not make it.
 */
export function putUser(machine: Machine): void {
  const change = putText(placeOn(machine, PLACES.sysusers), SYSUSERS, 0o644);
  machine.say(`${change.padEnd(10)} ${PLACES.sysusers}  (describes the user)`);
  const { run } = machine;
  if (run === null) return;
  const exists = textOn(machine, "/etc/passwd")
    .split("\n")
    .some((line) => line.startsWith(`${SERVICE}:`));
  if (!exists) makeUser(run);
  machine.say(`${(exists ? "unchanged" : "created").padEnd(10)} user ${SERVICE}`);
}

function makeUser(run: NonNullable<Machine["run"]>): void {
  const fix = `make the system user "${SERVICE}" by hand, then install again`;
  if (run(["systemd-sysusers", PLACES.sysusers])?.exitCode === 0) return;
  const home = ["--home-dir", PLACES.dataDir, "--no-create-home"];
  const options = ["--system", "--user-group", ...home, "--shell", "/usr/sbin/nologin"];
  mustRun(run, ["useradd", ...options, SERVICE], fix);
}
