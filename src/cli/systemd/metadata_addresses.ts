/**
 * Where clouds tell a machine about itself, keys included: Amazon, Google, Azure, Oracle, Alibaba. No provider is
 * there, so nothing may be sent there, whatever a base URL resolves to.
 */
export const METADATA_ADDRESSES = [
  "169.254.0.0/16",
  "168.63.129.16/32",
  "100.100.100.200/32",
  "fd00:ec2::254/128",
  "fd20:ce::254/128",
  "fd00:c1::a9fe:a9fe/128",
] as const;

/** Amazon's resolver: it lies among them, and answers nothing but names. */
export const AMAZON_RESOLVER = "169.254.169.253";

/**
 * Returns the resolvers that a machine asks directly and that the unit would deny. A resolver of the machine's own,
 * such as 127.0.0.53, asks in the service's stead.
 *
 * @param resolvConf The text of `/etc/resolv.conf`.
 */
export function deniedResolvers(resolvConf: string): string[] {
  return [...resolvConf.matchAll(/^nameserver[ \t]+(\S+)/gm)]
    .map(([, address = ""]) => address)
    .filter((address) => address !== AMAZON_RESOLVER && isDenied(address));
}

function isDenied(address: string): boolean {
  return METADATA_ADDRESSES.some((range) => {
    const [first = "", bits] = range.split("/");
    return bits === "16" ? address.startsWith(prefixOf(first)) : address === first;
  });
}

/** Returns the two numbers that the addresses of a range of 16 bits begin with. */
function prefixOf(first: string): string {
  return `${first.split(".").slice(0, 2).join(".")}.`;
}
