import { formatHostPort, type HostPort } from "../../std/host_port.ts";
import { portHolder } from "../port_holder.ts";
import { type Check, fail, ok } from "./check.ts";
import { failedCheck } from "./failed_check.ts";

const NAME = "port";

/** Tries whether a start could listen. @param listen Where; port 0 is any that is free. */
export function checkPort({ host, port }: HostPort): Check {
  const address = formatHostPort({ host, port });
  if (port === 0) return ok(NAME, `${address}, which is any that is free`);
  try {
    // What comes of it is closed before anybody could connect.
    Bun.listen({ hostname: host, port, exclusive: true, socket: { data: () => {} } }).stop(true);
    return ok(NAME, `${address} is free`);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code !== "EADDRINUSE") return failedCheck(NAME, error);
    const holder = portHolder(port);
    const by = holder === null ? "another process" : `process ${holder.pid} (${holder.name})`;
    const fix = "stop that process, or choose another port: --listen HOST:PORT";
    return fail(NAME, `${address} is taken by ${by}`, fix);
  }
}
