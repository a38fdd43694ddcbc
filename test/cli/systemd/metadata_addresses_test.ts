import { expect, test } from "bun:test";
import { deniedResolvers } from "../../../src/cli/systemd/metadata_addresses.ts";

const CASES: [name: string, resolvConf: string, denied: string[]][] = [
  ["no resolver", "", []],
  ["a resolver of the machine's own", "nameserver 127.0.0.53\noptions edns0\n", []],
  ["Amazon's resolver, which is allowed as it is", "nameserver 169.254.169.253\n", []],
  ["Google's resolver", "search internal\nnameserver 169.254.169.254\n", ["169.254.169.254"]],
  ["Azure's resolver", "nameserver\t168.63.129.16\n", ["168.63.129.16"]],
  ["one of two", "nameserver 10.0.0.2\nnameserver 169.254.0.2\n", ["169.254.0.2"]],
  ["an IPv6 address", "nameserver fd20:ce::254\n", ["fd20:ce::254"]],
  ["addresses that only look alike", "nameserver 169.25.4.1\nnameserver 168.63.129.160\n", []],
  ["a comment", "# nameserver 169.254.169.254\n", []],
];

for (const [name, resolvConf, denied] of CASES) {
  test(`resolvers that the unit would deny: ${name}`, () => {
    expect(deniedResolvers(resolvConf)).toEqual(denied);
  });
}
