import { chmodSync, closeSync, openSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Answers a request. */
type Answer = (request: Request) => Promise<Response>;

/** A server on a socket in the file system. */
export interface UnixServer {
  stop(): Promise<void>;
}

/**
 * Some answers take long, and nobody else waits here. Bun does not heed a time limit set for a single request of such
 * a socket, and heeds this one, which its types leave out.
 */
const NO_TIMEOUT: object = { idleTimeout: 0 };

/**
 * Serves HTTP on a socket that only this user can open. A socket that a killed process left there is replaced:
 * the caller makes sure that no living one uses it.
 */
export function serveUnix(path: string, answer: Answer): UnixServer {
  rmSync(path, { force: true });
  using short = shortPath(path);
  const server = Bun.serve({
    unix: short.path,
    ...NO_TIMEOUT,
    development: false,
    fetch: (request) => answer(request),
  });
  chmodSync(path, 0o600);
  return {
    stop: async () => {
      await server.stop(true);
      rmSync(path, { force: true });
    },
  };
}

/** Sends a request to a socket in the file system. @throws If nobody listens there, with the system's code. */
export async function fetchUnix(path: string, request: Request): Promise<Response> {
  using short = shortPath(path);
  return await fetch(request, { unix: short.path });
}

/** The system takes 107 bytes for a socket's path. Through its open folder any path is short. */
function shortPath(path: string): Disposable & { readonly path: string } {
  const folder = openSync(dirname(path), "r");
  return {
    path: join(`/proc/self/fd/${folder}`, basename(path)),
    [Symbol.dispose]: () => closeSync(folder),
  };
}
