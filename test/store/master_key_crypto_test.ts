import { expect, test } from "bun:test";
import { MasterKey } from "../../src/store/master_key_crypto.ts";
import { NEW_ID, NEW_KEY, OLD_ID, OLD_KEY, THIRD_KEY } from "../support/master_keys.ts";

const old = await MasterKey.import(OLD_KEY);
const next = await MasterKey.import(NEW_KEY);
const third = await MasterKey.import(THIRD_KEY);
const DATA = new TextEncoder().encode("row 1");

test("a key is known by the first digits of its SHA-256", () => {
  expect([old.id, next.id]).toEqual([OLD_ID, NEW_ID]);
  expect(OLD_ID).toBe(Bun.SHA256.hash(OLD_KEY, "hex").slice(0, 8));
});

test("a key is the same as itself only", async () => {
  expect(old.isSameAs(await MasterKey.import(OLD_KEY.slice()))).toBe(true);
  expect(old.isSameAs(next)).toBe(false);
});

test("a key keeps its own copy of the bytes", async () => {
  const bytes = OLD_KEY.slice();
  const key = await MasterKey.import(bytes);
  bytes.fill(0);
  expect(key.isSameAs(old)).toBe(true);
});

test("a key of another length is refused", async () => {
  for (const length of [0, 16, 31, 33])
    await expect(MasterKey.import(new Uint8Array(length))).rejects.toThrow(RangeError);
});

test("a check value passes with the key that made it, and with no other", async () => {
  const value = await old.checkValue();
  expect(await old.passes(value)).toBe(true);
  expect(await next.passes(value)).toBe(false);
  for (const broken of ["", "AAAA", value.slice(4), `${value.slice(0, -4)}AAA=`])
    expect(await old.passes(broken)).toBe(false);
});

test("a key wrapped by another comes out whole", async () => {
  const wrapped = await old.wrap(next);
  expect(wrapped).not.toContain(NEW_KEY.toHex());
  const unwrapped = await old.unwrap(wrapped, next.id);
  expect(unwrapped?.isSameAs(next)).toBe(true);
});

test("a wrapped key does not come out with another key, under another id, or changed", async () => {
  const wrapped = await old.wrap(next);
  expect(await third.unwrap(wrapped, next.id)).toBeNull();
  expect(await next.unwrap(wrapped, next.id)).toBeNull();
  expect(await old.unwrap(wrapped, third.id)).toBeNull();
  expect(await old.unwrap("", next.id)).toBeNull();
  const bytes = Uint8Array.fromBase64(wrapped);
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = bytes.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(await old.unwrap(changed.toBase64(), next.id)).toBeNull();
  }
});

test("what is sealed for one purpose does not open for another", async () => {
  const wrapped = await old.wrap(next);
  await expect(old.openProviderKey(wrapped, DATA)).rejects.toThrow("changed");
  const sealed = await old.sealProviderKey(NEW_KEY.toHex(), DATA);
  expect(await old.unwrap(sealed, next.id)).toBeNull();
  expect(await old.passes(sealed)).toBe(false);
});

test("a key cannot be printed", () => {
  const printed = [JSON.stringify(old), Bun.inspect(old, { depth: 9 }), String(old)].join();
  for (const form of [OLD_KEY.toHex(), OLD_KEY.toBase64(), [...OLD_KEY].join(", ")])
    expect(printed).not.toContain(form);
});
