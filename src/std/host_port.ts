/** A host and a TCP port. An IPv6 host stands here without its brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/**
 * Parses `host:port`, such as `127.0.0.1:8080` or `[::1]:8080`. The host is lower-cased.
 *
 * @throws {SyntaxError} If either part is missing or malformed.
 */
export function parseHostPort(text: string): HostPort {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535)
    throw new SyntaxError(`Cannot parse address "${text}": expected HOST:PORT`);
  return { host: host.toLowerCase(), port };
}

/** Writes the address as it stands in a URL, its port always included. */
export function formatHostPort(address: HostPort): string {
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}
