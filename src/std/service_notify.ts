import { dlopen } from "bun:ffi";
import { libcPath } from "./libc.ts";

/** What a service manager tells the process it starts. */
export interface ServiceEnvironment {
  /** Where it wants to be notified; null if it does not, or if nobody manages this process. */
  readonly notifySocket: string | null;
  /** How long it waits for a sign of life before it ends the process, in milliseconds; null for ever. */
  readonly watchdogMs: number | null;
}

/** Tells a service manager how this process is, in the protocol of `sd_notify`. */
export interface ServiceNotifier {
  /**
   * Sends one message of `NAME=value` lines. Returns whether it was taken; a manager that does not read is
   * waited for a tenth of a second at most.
   */
  notify(fields: Readonly<Record<string, string | number | bigint>>): boolean;
  /** Returns the time of the system's monotonic clock, which a reload is reported with, in microseconds. */
  monotonicUsec(): bigint;
  close(): void;
}

/** This process cannot notify anybody. */
export class NotifyError extends Error {
  constructor(why: string) {
    super(`Cannot notify the service manager: ${why}`);
  }
}

/** The variables in which a service manager tells it. */
export const SERVICE_NAMES = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const;

/** Reads the variables of `sd_notify` and its watchdog, which counts only if it is meant for this process. */
export function readServiceEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): ServiceEnvironment {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: watched } = environment;
  const mine = watched === undefined || watched === String(pid);
  const watchdogMs = mine && /^[1-9]\d{0,15}$/.test(usec ?? "") ? Number(usec) / 1000 : null;
  return { notifySocket: socket === undefined || socket === "" ? null : socket, watchdogMs };
}

/**
 * Opens the way to a service manager. Bun has no datagrams on unix sockets, so the C library is asked.
 *
 * @param address A path, or `@` and an abstract name.
 * @throws {NotifyError} If the address is of another kind, or there is no C library to ask.
 */
export function openServiceNotifier(address: string): ServiceNotifier {
  const to = socketAddress(address);
  const libc = openLibc();
  const socket = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) throw new NotifyError("the system gives no unix socket");
  const patience = new BigInt64Array([0n, BigInt(PATIENCE_USEC)]);
  libc.setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, patience, patience.byteLength);
  return {
    notify: (fields) => {
      const message = new TextEncoder().encode(messageText(fields));
      const sent = libc.sendto(socket, message, message.length, MSG_NOSIGNAL, to, to.length);
      return Number(sent) === message.length;
    },
    monotonicUsec: () => {
      const time = new BigInt64Array(2);
      libc.clock_gettime(CLOCK_MONOTONIC, time);
      const [seconds = 0n, nanoseconds = 0n] = time;
      return seconds * 1_000_000n + nanoseconds / 1000n;
    },
    close: () => void libc.close(socket),
  };
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDTIMEO = 21;
const MSG_NOSIGNAL = 0x4000;
const CLOCK_MONOTONIC = 1;

/** How long a message waits for a manager that is busy, in microseconds: the event loop waits with it. */
const PATIENCE_USEC = 100_000;

/** The room for a path in a unix socket's address, in bytes. */
const PATH_BYTES_MAX = 108;

/** Writes a `sockaddr_un`: the family in the machine's byte order, then the path. */
function socketAddress(address: string): Uint8Array {
  if (!/^[@/]./.test(address)) throw new NotifyError(`"${address}" is neither a path nor abstract`);
  const abstract = address.startsWith("@");
  const path = new TextEncoder().encode(abstract ? address : `${address}\0`);
  if (path.length > PATH_BYTES_MAX) throw new NotifyError(`"${address}" is too long`);
  if (abstract) path[0] = 0;
  const family = new Uint8Array(Uint16Array.of(AF_UNIX).buffer);
  return Uint8Array.of(...family, ...path);
}

/** A line end inside a value would begin another field. */
function messageText(fields: Readonly<Record<string, string | number | bigint>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${String(value).replace(/[\r\n\0]/g, " ")}`)
    .join("\n");
}

function openLibc() {
  const path = libcPath();
  if (path === null) throw new NotifyError("this process uses no C library that could be asked");
  try {
    return dlopen(path, {
      socket: { args: ["i32", "i32", "i32"], returns: "i32" },
      setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
      sendto: { args: ["i32", "ptr", "usize", "i32", "ptr", "u32"], returns: "i64" },
      clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
      close: { args: ["i32"], returns: "i32" },
    }).symbols;
  } catch (error) {
    throw new NotifyError(error instanceof Error ? error.message : String(error));
  }
}
