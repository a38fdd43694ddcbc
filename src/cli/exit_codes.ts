/** How the process says why it ended, in the codes of sysexits.h, which service managers know by name. */
export const EXIT = {
  ok: 0,
  /** The command line cannot be understood. */
  usage: 64,
  /** The database is damaged, or newer than this program; or what was asked for contradicts what is there. */
  data: 65,
  /** What was named does not exist. */
  missing: 66,
  /** The address is taken or not to be had. */
  unavailable: 69,
  /** A bug. */
  software: 70,
  /** The disk is full or failing. */
  disk: 74,
  /** Another process has the data directory. */
  locked: 75,
  /** This user may not do that. */
  permission: 77,
  /** The configuration or the master key is at fault. */
  configuration: 78,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
