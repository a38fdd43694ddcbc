/**
 * Returns every address of a host name, of IPv4 and IPv6 alike.
 *
 * @throws An error with a `code` if the name has none, or nobody answers.
 */
export type HostLookup = (name: string) => Promise<readonly string[]>;

/** Asks the system, as every other program of this machine does: its hosts file, then its name servers. */
export const systemHostLookup: HostLookup = async (name) => {
  const found = await Bun.dns.lookup(name, { backend: "libc" });
  return found.map(({ address }) => address);
};
