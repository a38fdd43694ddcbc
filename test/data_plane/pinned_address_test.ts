import { expect, test } from "bun:test";
import { join } from "node:path";
import { openAuthority } from "../support/certificates.ts";
import type { PinnedCalls } from "../support/pinned_calls.ts";

const PROGRAM = join(import.meta.dir, "../support/pinned_calls.ts");

async function pinnedCalls(): Promise<PinnedCalls> {
  using authority = openAuthority();
  using stranger = openAuthority();
  const given = {
    trusted: await authority.issue("gateway.test"),
    foreign: await stranger.issue("gateway.test"),
  };
  const child = Bun.spawn([process.execPath, PROGRAM, JSON.stringify(given)], {
    // Would undo every check if it were listened to.
    env: { ...process.env, NODE_EXTRA_CA_CERTS: authority.path, NODE_TLS_REJECT_UNAUTHORIZED: "0" },
    stdout: "pipe",
    stderr: "pipe",
  });
  const printed = await new Response(child.stdout).text();
  const problems = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`Cannot make the calls: ${problems}`);
  return JSON.parse(printed);
}

test("a call goes to a checked address, under the name and the certificate of its host", async () => {
  const { statuses, requests, port, foreignRequests, lookups, logged } = await pinnedCalls();
  // A certificate for another name, or of an authority that nobody trusts, ends the call before it is sent.
  expect(statuses).toEqual([200, 502, 200, 502]);
  const right = { host: `gateway.test:${port}`, serverName: "gateway.test" };
  expect(requests).toEqual([right, right]);
  expect(foreignRequests).toBe(0);
  expect(logged).toMatch(/"host":"impostor\.test:\d+","error":"ERR_TLS_CERT_ALTNAME_INVALID"/);
  expect(logged).toMatch(/"host":"gateway\.test:\d+","error":"UNABLE_TO_\w+"|SELF_SIGNED/);
  // These names exist nowhere: whoever looked them up when connecting would have found nothing.
  expect(lookups.slice(0, 2)).toEqual(["gateway.test", "impostor.test"]);
  expect(new Set(lookups)).toEqual(new Set(["gateway.test", "impostor.test"]));
});
