import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { fullDisk } from "../../src/tools/torture/disk_full.ts";
import { limitedDisk } from "../../src/tools/torture/broken_disk.ts";
import { CHAT, chunk, EventReader, lastChunks, withProxy } from "../support/data_plane.ts";
import { eventually } from "../support/eventually.ts";

// P16: while the database cannot be written, new calls get 503 before any provider hears of them, streams that run
// finish, and it goes on by itself when the trouble is over.

setDefaultTimeout(60_000);

const STREAM = { ...CHAT, stream: true };

test("P16: while the database is locked, calls are refused, streams finish, and all is written afterwards", () =>
  withProxy({}, async (proxy) => {
    const { promise, resolve: goOn } = Promise.withResolvers<void>();
    proxy.standIn.next({
      pieces: (async function* () {
        yield chunk({ content: "before" });
        await promise;
        yield chunk({ content: "meanwhile" });
        yield lastChunks(7, 3);
      })(),
    });
    const reader = new EventReader(await proxy.send(STREAM));
    await reader.next();
    expect(proxy.standIn.count).toBe(1);

    const other = new Database(join(proxy.dataDir, "inference-proxy.db"));
    other.run("begin immediate");
    for (const body of [CHAT, STREAM, CHAT]) {
      const refused = await proxy.call(body);
      expect(refused.status).toBe(503);
      expect(refused.json.error.code).toBe("overloaded");
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    }
    expect(proxy.standIn.count).toBe(1);
    expect((await fetch(`${proxy.url}/livez`)).status).toBe(200);
    goOn();
    expect((await reader.rest()).at(-1)).toBe("[DONE]");
    other.run("rollback");
    other.close();

    const settled = () =>
      proxy
        .rows<{ state: string; output_tokens: number }>("select * from calls")
        .filter(({ state }) => state === "posted");
    await eventually(() => settled().length === 1);
    expect(settled()[0]?.output_tokens).toBe(3);
    expect((await proxy.call()).status).toBe(200);
    expect(await proxy.calls()).toHaveLength(2);
  }));

const binary = join(import.meta.dir, "../../dist/inference-proxy");

test.skipIf(Bun.which("prlimit") === null)(
  "P16: on a full disk calls are refused before the provider, streams finish, and room is enough to go on",
  async () => {
    using disk = limitedDisk();
    // It throws where anything but this happens.
    console.log(await fullDisk(disk, { binary, long: false, seed: 16 }));
  },
);
