import { expect, test } from "bun:test";
import { systemHostLookup } from "../../src/std/host_lookup.ts";
import { parseIpAddress } from "../../src/std/ip_address.ts";

test("a name of the hosts file has an address, in text form", async () => {
  const addresses = await systemHostLookup("localhost");
  expect(addresses.length).toBeGreaterThan(0);
  for (const address of addresses) expect(parseIpAddress(address)).not.toBeNull();
});

test("a name that cannot exist is an error with a code", async () => {
  const error: unknown = await systemHostLookup("nowhere.invalid").catch((caught) => caught);
  expect(error).toBeInstanceOf(Error);
  expect((error as { code?: unknown }).code).toMatch(/ENOTFOUND|EAI_AGAIN|ESERVFAIL/);
});
