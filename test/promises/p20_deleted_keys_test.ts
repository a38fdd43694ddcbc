import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { databasePath } from "../../src/app.ts";
import { PROVIDER_IDS } from "../../src/domain/provider.ts";
import { CHAT, type DataPlane, withProxy } from "../support/data_plane.ts";
import { eventually } from "../support/eventually.ts";
import { openProxy, PROVIDERS } from "../support/proxy.ts";
import { found, textsIn } from "../support/secret_forms.ts";

// P20: when a provider key was deleted or replaced, the bytes that it was sealed as are in no file any more.

setDefaultTimeout(60_000);

interface SealedRow {
  readonly provider: string;
  readonly sealed_key: string;
}

const sealedKeys = (proxy: DataPlane): string[] =>
  proxy.rows<SealedRow>("select * from provider_configs").map((row) => row.sealed_key);

/** The sealed keys that stand in some file, as text or as the bytes that it says. */
function traces(proxy: { readonly dataDir: string }, sealed: readonly string[]): string[] {
  const texts = textsIn(proxy.dataDir);
  return sealed.filter((text) => {
    // A page may have been split in the middle of it: a part is a trace as well.
    const parts = [
      text,
      text.slice(20, 60),
      text.slice(-40),
      Buffer.from(text, "base64").toString("latin1"),
    ];
    return found(parts, texts).length > 0;
  });
}

test("P20: a deleted provider key is in no file when the answer comes", async () => {
  await withProxy({ providers: PROVIDER_IDS }, async (proxy) => {
    const sealed = sealedKeys(proxy);
    expect(traces(proxy, sealed)).toEqual(sealed);
    for (const provider of PROVIDER_IDS) {
      const [own = ""] = proxy
        .rows<SealedRow>(`select * from provider_configs where provider = '${provider}'`)
        .map((row) => row.sealed_key);
      expect((await proxy.manage("DELETE", `/providers/${provider}`)).status).toBe(204);
      expect(traces(proxy, [own])).toEqual([]);
    }
    expect(traces(proxy, sealed)).toEqual([]);
  });
});

test("P20: a replaced provider key is in no file when the answer comes", async () => {
  await withProxy({}, async (proxy) => {
    const before = sealedKeys(proxy);
    await proxy.configure("openai", { api_key: "sk-another-key-0123456789" });
    expect(traces(proxy, before)).toEqual([]);
    expect(traces(proxy, sealedKeys(proxy))).toHaveLength(1);
  });
});

test("P20: keys are deleted without a trace among calls that write all the time", async () => {
  await withProxy({ providers: ["openai", "groq"] }, async (proxy) => {
    let stopped = false;
    const callOn = async () => {
      while (!stopped) expect((await proxy.call(CHAT)).status).toBe(200);
    };
    const calling = Array.from({ length: 8 }, callOn);
    for (let round = 0; round < 20; round += 1) {
      const sealed = proxy
        .rows<SealedRow>("select * from provider_configs where provider = 'groq'")
        .map((row) => row.sealed_key);
      await proxy.manage("DELETE", "/providers/groq");
      await eventually(() => traces(proxy, sealed).length === 0);
      await proxy.configure("groq");
    }
    stopped = true;
    await Promise.all(calling);
  });
});

test("P20: while another process reads the database a deleted key leaves its files soon after", async () => {
  await withProxy({ providers: ["openai", "groq"] }, async (proxy) => {
    const sealed = sealedKeys(proxy);
    const reader = new Database(databasePath(proxy.dataDir), { readonly: true });
    reader.run("begin");
    reader.query("select * from provider_configs").all();
    for (const provider of ["openai", "groq"])
      expect((await proxy.manage("DELETE", `/providers/${provider}`)).status).toBe(204);
    expect(traces(proxy, sealed)).toEqual(sealed);
    reader.run("rollback");
    await eventually(() => traces(proxy, sealed).length === 0);
    reader.close();
  });
});

test("P20: a deleted key that a kill left in the log is in no file soon after the next start", async () => {
  await using proxy = await openProxy();
  await proxy.configure();
  const reader = new Database(databasePath(proxy.dataDir), { readonly: true });
  reader.run("begin");
  const sealed = reader
    .query("select sealed_key from provider_configs")
    .values()
    .flat()
    .map(String);
  for (const provider of PROVIDERS) await proxy.manage("DELETE", `/providers/${provider}`);
  await proxy.binary.kill();
  expect(traces(proxy, sealed)).toEqual(sealed);
  reader.close();
  await proxy.startAgain();
  await eventually(() => traces(proxy, sealed).length === 0);
});
