import { Database } from "bun:sqlite";
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { startStandIn } from "../../src/stand_in/stand_in.ts";
import { openTestApp, type TestApp } from "../support/app.ts";
import { openFolder, runBinary, startBinary } from "../support/binary.ts";
import { manualClock } from "../support/clock.ts";
import { type Fixture, moveUpstream, RELEASES, sumsOf } from "../support/fixture.ts";
import { ask, type UsageRow } from "../support/proxy.ts";

setDefaultTimeout(30_000);

const WINDOW = "from=2026-05-01T00:00:00Z&to=2026-07-01T00:00:00Z";
const CHAT = { model: "openai/gpt-4o-mini", messages: [{ role: "user", content: "Say hello" }] };

/** Opens this program on a copy of what a release left. */
async function openCopy(
  { facts, copyTo }: Fixture,
  change: (dataDir: string) => void,
  flags: readonly string[] = [],
): Promise<TestApp> {
  const folder = openFolder();
  copyTo(folder.path);
  change(folder.path);
  const clock = manualClock(Date.parse(facts.now));
  return openTestApp({ dataDir: folder.path, clock, flags });
}

async function usage(app: TestApp, organizationId: string, group: string): Promise<UsageRow[]> {
  const path = `/organizations/${organizationId}/inference/usage?${WINDOW}&group_by=${group}`;
  const { body }: { body: { rows: UsageRow[] } } = await app.manage("GET", path);
  return body.rows;
}

function call(app: TestApp, secret: string): Promise<Response> {
  return fetch(`${app.url}/inference/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}` },
    body: JSON.stringify(CHAT),
  });
}

/** How the data directory may be found: killed, or closed before the upgrade. */
const STATES: { name: string; change: (dataDir: string) => void }[] = [
  {
    name: "with the log of a killed process",
    change: (dataDir) => {
      expect(statSync(join(dataDir, "inference-proxy.db-wal")).size).toBeGreaterThan(0);
    },
  },
  {
    name: "with its log emptied",
    change: (dataDir) => {
      const database = new Database(join(dataDir, "inference-proxy.db"));
      database.run("pragma wal_checkpoint(truncate)");
      database.close();
      expect(existsSync(join(dataDir, "inference-proxy.db-wal"))).toBe(false);
    },
  },
];

test("there is a fixture of the first release", () => {
  expect(RELEASES.map(({ name }) => name)).toContain("release_0_1");
});

describe.each(RELEASES)("what $name left", (fixture) => {
  const { facts } = fixture;
  const [first, second] = facts.organizations;

  for (const { name, change } of STATES) {
    test(`opens ${name}: the usage is as it was, and the call in flight is posted`, async () => {
      const app = await openCopy(fixture, change);
      try {
        for (const group of ["key", "model", "day"] as const) {
          const rows = await usage(app, second?.id ?? "", group);
          expect(rows).toEqual(second?.usage[group] as never);
        }
        const before = sumsOf(first?.usage.key as never);
        const after = sumsOf(await usage(app, first?.id ?? "", "key"));
        expect(after.calls - before.calls).toBe(1);
        expect(after.output - before.output).toBe(facts.held.output_tokens);
        expect(after.cost).toBeGreaterThan(before.cost);
        expect(app.logged.join("")).toContain('"calls":1');
      } finally {
        await app.close();
      }
    });
  }

  test("serves calls: keys are known, provider keys open, and what is used is added", async () => {
    const standIn = startStandIn();
    const app = await openCopy(
      fixture,
      (dataDir) => moveUpstream(dataDir, facts.upstream, standIn.url),
      ["--allow-upstream", standIn.address],
    );
    try {
      for (const { id, key, suspended, revoked } of facts.organizations) {
        const before = sumsOf(await usage(app, id, "key"));
        expect((await call(app, key.secret)).status).toBe(200);
        expect((await call(app, suspended.secret)).status).toBe(401);
        expect((await call(app, revoked.secret)).status).toBe(401);
        const sent = standIn.requests.at(-1)?.headers["authorization"];
        expect(sent).toBe(`Bearer ${facts.provider_key}`);
        expect(sumsOf(await usage(app, id, "key")).calls).toBe(before.calls + 1);
      }
    } finally {
      await app.close();
      await standIn.stop();
    }
  });

  test("is read by the binary, which also restores its backup to the same usage", async () => {
    using used = openFolder();
    using restored = openFolder();
    fixture.copyTo(used.path);
    const restore = ["restore", fixture.backup, "--data-dir", restored.path];
    copyFileSync(join(used.path, "master.key"), join(restored.path, "master.key"));
    expect(await runBinary(restore)).toMatchObject({ exitCode: 0, stderr: "" });
    const seen: UsageRow[][] = [];
    for (const { path } of [used, restored]) {
      // Old calls are deleted in time, and their sums stay.
      await using binary = await startBinary(["--data-dir", path]);
      for (const organization of facts.organizations) {
        const inference = `${binary.url}/organizations/${organization.id}/inference`;
        const { body } = await ask(`${inference}/usage?${WINDOW}&group_by=key`, "GET");
        seen.push(body.rows);
      }
      await binary.stop();
    }
    expect(seen).toHaveLength(4);
    expect(seen.slice(0, 2)).toEqual(seen.slice(2));
    expect(sumsOf(seen[0] ?? []).calls).toBe(sumsOf(first?.usage.key as never).calls + 1);
  });
});
