import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A process that listens on a port. */
export interface PortHolder {
  readonly pid: number;
  readonly name: string;
}

/**
 * Returns the process that listens on a TCP port of this machine, or null if the system does not tell: it tells
 * everybody's processes to root, and to others their own.
 */
export function portHolder(port: number): PortHolder | null {
  try {
    const sockets = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) =>
      listeningSockets(readFileSync(path, "utf8"), port),
    );
    return sockets.length === 0 ? null : holderOf(new Set(sockets));
  } catch {
    // Only Linux has these lists.
    return null;
  }
}

/** Finds the sockets that listen on a port in the system's list, by inode. Addresses stand there in hex. */
export function listeningSockets(list: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  return list.split("\n").flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    const listens = state === "0A" && local?.split(":")[1] === wanted;
    return listens && inode !== undefined ? [`socket:[${inode}]`] : [];
  });
}

function holderOf(sockets: ReadonlySet<string>): PortHolder | null {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (!openFiles(pid).some((file) => sockets.has(file))) continue;
    return { pid: Number(pid), name: readFileSync(`/proc/${pid}/comm`, "utf8").trim() };
  }
  return null;
}

function openFiles(pid: string): string[] {
  const folder = `/proc/${pid}/fd`;
  return namesIn(folder).flatMap((name) => {
    try {
      return [readlinkSync(`${folder}/${name}`)];
    } catch {
      // It was closed meanwhile, as the one is by which they are listed.
      return [];
    }
  });
}

/** Of a process that has ended meanwhile, or is somebody else's, the system tells nothing. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
