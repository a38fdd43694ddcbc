import { parseIpAddress } from "./ip_address.ts";

/** What a Host header says of whom the request is for. */
export type HostVerdict = "own" | "foreign" | "malformed";

/** Bounds a host name, in characters: no name in the DNS is longer. */
const NAME_CHARS_MAX = 253;

/**
 * Parses a name under which this server is asked, such as `proxy.example` or `proxy.example:8443`. The name is
 * lower-cased and loses the dot at its end.
 *
 * @throws {SyntaxError} If it is malformed.
 */
export function parseOwnHost(text: string): string {
  const host = splitHost(text);
  if (host === null)
    throw new SyntaxError(`Cannot parse host name "${text}": expected HOST or HOST:PORT`);
  return host.port === "" ? host.name : `${host.name}:${host.port}`;
}

/**
 * Judges a Host header. A page of another site can make a browser ask here under any name that its owner lets
 * point here, but not under an address or `localhost`: those are our own whatever was configured.
 *
 * @param header As it came; null if there was none. Several come joined by commas, which no host holds.
 * @param names What `parseOwnHost` made of our names. One without a port stands for all ports.
 */
export function judgeHost(header: string | null, names: ReadonlySet<string>): HostVerdict {
  const host = header === null ? null : splitHost(header);
  if (host === null) return "malformed";
  const { name, port } = host;
  const own = name === "localhost" || name.startsWith("[") || parseIpAddress(name) !== null;
  return own || names.has(name) || names.has(`${name}:${port}`) ? "own" : "foreign";
}

function splitHost(text: string): { readonly name: string; readonly port: string } | null {
  const match = /^(?:(\[[0-9a-f:.]+\])|([a-z0-9_.-]+))(?::(\d{0,5}))?$/i.exec(text);
  const name = (match?.[1] ?? match?.[2] ?? "").toLowerCase().replace(/\.$/, "");
  const port = match?.[3] ?? "";
  if (name === "" || name.length > NAME_CHARS_MAX || Number(port) > 65_535) return null;
  if (name.startsWith("[") && parseIpAddress(name.slice(1, -1))?.length !== 16) return null;
  return { name, port };
}
