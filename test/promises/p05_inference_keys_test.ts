import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { databasePath } from "../../src/app.ts";
import { authenticate } from "../../src/data_plane/authenticate.ts";
import { ProxyError } from "../../src/domain/errors.ts";
import { generateInferenceKey } from "../../src/domain/inference_key_text.ts";
import { CHAT, proxyForTests, type TestKey } from "../support/data_plane.ts";
import { found, formsOf, textsIn } from "../support/secret_forms.ts";

// P5: inference keys are 256 random bits, shown once; whoever steals the database has no usable key, and a
// revocation holds for every request after it.

const proxy = await proxyForTests();

const list = async () => (await proxy.manage("GET", "/keys")).body;
const status = async (key: TestKey) => (await proxy.call(CHAT, { key })).status;
/** Calls with any text in the place of a key. */
const statusOf = (secret: string) => status({ id: "", secret });

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

describe("a new key", () => {
  test("P5: carries 256 random bits: each bit is 0 as often as 1, and no two keys are alike", () => {
    const keys = Array.from({ length: 4000 }, () => generateInferenceKey());
    expect(new Set(keys).size).toBe(keys.length);
    const ones = Array.from({ length: 256 }, () => 0);
    for (const key of keys) {
      let number = 0n;
      for (const char of key.slice("fdb-inf-".length, -6))
        number = number * 62n + BigInt(BASE62.indexOf(char));
      expect(number < 2n ** 256n).toBe(true);
      for (let bit = 0; bit < 256; bit += 1)
        ones[bit] = (ones[bit] ?? 0) + Number((number >> BigInt(bit)) & 1n);
    }
    // Half of them, give or take 6 standard deviations: once in a million runs one bit is off by chance.
    const deviation = Math.sqrt(keys.length) / 2;
    const off = ones.filter((count) => Math.abs(count - keys.length / 2) > 6 * deviation);
    expect(off).toEqual([]);
  });

  test("P5: is shown once, and of it only the first characters ever again", async () => {
    const key = await proxy.createKey();
    const shown = JSON.stringify([
      await list(),
      await proxy.manage("PATCH", `/keys/${key.id}`, { name: "renamed" }),
      await proxy.manage("GET", "/usage?group_by=key"),
    ]);
    expect(shown).toContain(key.secret.slice(0, "fdb-inf-".length + 4));
    expect(shown).not.toContain(key.secret.slice(0, "fdb-inf-".length + 5));
    expect(shown).not.toContain(Bun.SHA256.hash(key.secret, "hex"));
  });
});

test("P5: no text that can be found in a stolen database is a usable key", async () => {
  const keys = [proxy.key, await proxy.createKey(), await proxy.createKey()];
  for (const key of keys) expect(await status(key)).toBe(200);
  const files = textsIn(proxy.dataDir);
  for (const { secret } of keys) expect(found(formsOf(secret), files)).toEqual([]);
  const stolen = new Database(databasePath(proxy.dataDir), { readonly: true });
  const tables = stolen.query("select name from sqlite_schema where type = 'table'").values();
  const values = tables.flatMap(([name]) =>
    stolen.query(`select * from "${name}"`).values().flat(),
  );
  stolen.close();
  const texts = [...new Set(values.map(String))].filter((text) =>
    /^[\x21-\x7e]{4,200}$/.test(text),
  );
  expect(texts.length).toBeGreaterThan(10);
  // Also in the guise of a key, checksum and all.
  const guises = texts.flatMap((text) => {
    const chars = [...text].filter((char) => BASE62.includes(char)).join("");
    return [text, `fdb-inf-${chars.padEnd(49, "0").slice(0, 49)}`];
  });
  const hashes = keys.map(({ secret }) => Bun.SHA256.hash(secret, "hex"));
  expect(texts).toEqual(expect.arrayContaining(hashes));
  for (const text of guises) expect(await statusOf(text)).toBe(401);
});

describe("a typing error", () => {
  /** A directory that has nothing in memory, and that nobody may ask. */
  const directory = {
    knowsKey: () => false,
    key: () => {
      throw new Error("the directory was asked");
    },
  };
  const ask = (text: string) => {
    const headers = new Headers({ authorization: `Bearer ${text}` });
    try {
      authenticate(headers, { directory: directory as never });
      return "let in";
    } catch (error) {
      return error instanceof ProxyError ? error.code : String(error);
    }
  };

  test("P5: is refused by the checksum, before the database is asked", () => {
    const key = generateInferenceKey();
    expect(ask(key)).toContain("the directory was asked");
    const typos = [
      key.slice(1),
      key.slice(0, -1),
      `${key}0`,
      `${key}${key}`,
      key.toUpperCase(),
      "",
    ];
    const first = "fdb-inf-".length;
    for (let at = first; at < key.length; at += 1) {
      for (const char of BASE62)
        if (char !== key[at]) typos.push(key.slice(0, at) + char + key.slice(at + 1));
      typos.push(key.slice(0, at) + key.slice(at + 1));
      typos.push(key.slice(0, at) + "0" + key.slice(at));
      const [one = "", two = ""] = [key[at], key[at + 1]];
      if (one !== two && two !== "") typos.push(key.slice(0, at) + two + one + key.slice(at + 2));
    }
    expect(typos.length).toBeGreaterThan(3000);
    expect(typos.filter((typo) => ask(typo) !== "invalid_key")).toEqual([]);
  });
});

describe("a revocation", () => {
  test("P5: holds for every call after it returned, 200 times", async () => {
    for (let round = 0; round < 200; round += 1) {
      const key = await proxy.createKey();
      expect(await status(key)).toBe(200);
      expect((await proxy.manage("DELETE", `/keys/${key.id}`)).status).toBe(204);
      expect(await Promise.all([status(key), status(key)])).toEqual([401, 401]);
    }
  });

  test("P5: holds among calls that go on all the time, on connections of their own", async () => {
    const key = await proxy.createKey();
    let revoked = false;
    const late: number[] = [];
    const early: number[] = [];
    const callOn = async () => {
      for (let rest = 5; rest > 0;) {
        const isLate = revoked;
        (isLate ? late : early).push(await status(key));
        if (isLate) rest -= 1;
      }
    };
    const calling = Array.from({ length: 16 }, callOn);
    while (early.length < 50) await new Promise((resolve) => setImmediate(resolve));
    await proxy.manage("DELETE", `/keys/${key.id}`);
    revoked = true;
    await Promise.all(calling);
    expect(early).toContain(200);
    expect(new Set(late)).toEqual(new Set([401]));
  });

  test("P5: is for good: the key stays dead after a restart, and nothing wakes it", async () => {
    const key = await proxy.createKey();
    await proxy.manage("DELETE", `/keys/${key.id}`);
    await proxy.manage("PATCH", `/keys/${key.id}`, { status: "active" });
    await proxy.restart();
    expect(await status(key)).toBe(401);
    expect(await status(proxy.key)).toBe(200);
  });
});
