import { expect, test } from "bun:test";
import { createDecipheriv, hkdfSync } from "node:crypto";
import {
  AesGcmError,
  importSealingKey,
  openAesGcm,
  sealAesGcm,
  sealingKeyId,
} from "../../src/std/aes_gcm.ts";

const KEY_BYTES = Uint8Array.fromHex("00112233445566778899aabbccddeeff".repeat(2));
const PURPOSE = "test/records/v1";
const TEXT = new TextEncoder().encode("a text to keep");
const DATA = new TextEncoder().encode("row 1");

const key = await importSealingKey(KEY_BYTES, PURPOSE);

async function failure(opening: Promise<unknown>): Promise<string> {
  const error = await opening.then(
    () => new Error("it opened"),
    (thrown: unknown) => thrown,
  );
  return error instanceof AesGcmError ? error.reason : `${error}`;
}

test("what was sealed opens with the same key and associated data", async () => {
  for (const text of [TEXT, new Uint8Array(0), new Uint8Array(5000).fill(7)]) {
    expect(await openAesGcm(key, await sealAesGcm(key, text, DATA), DATA)).toEqual(text);
  }
});

test("the bytes are laid out as documented, so that another program can open them", async () => {
  const sealed = await sealAesGcm(key, TEXT, DATA);
  expect(sealed[0]).toBe(1);
  expect(sealed.slice(1, 5).toHex()).toBe(Bun.SHA256.hash(KEY_BYTES, "hex").slice(0, 8));
  const recordKey = hkdfSync("sha256", KEY_BYTES, sealed.subarray(5, 21), PURPOSE, 32);
  const cipher = createDecipheriv(
    "aes-256-gcm",
    new Uint8Array(recordKey),
    sealed.subarray(21, 33),
  );
  cipher.setAAD(Buffer.concat([sealed.subarray(0, 5), DATA]));
  cipher.setAuthTag(sealed.subarray(-16));
  const text = Buffer.concat([cipher.update(sealed.subarray(33, -16)), cipher.final()]);
  expect(text.toString()).toBe("a text to keep");
});

test("a record sealed by an earlier release opens", async () => {
  const sealed = Uint8Array.fromHex(
    "01" + // version
      "4773d12e" + // key id
      "000102030405060708090a0b0c0d0e0f" + // salt
      "101112131415161718191a1b" + // nonce
      RELEASED_TEXT,
  );
  expect(await openAesGcm(key, sealed, DATA)).toEqual(TEXT);
});

const RELEASED_TEXT = "a7afdb20247ea2bcb8ee504cdf178cc76e57df7e52ba45ec0db7db355988";

test("every flipped bit is refused with a typed error", async () => {
  const sealed = await sealAesGcm(key, TEXT, DATA);
  const reasons = new Set<string>();
  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const changed = sealed.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    reasons.add(await failure(openAesGcm(key, changed, DATA)));
  }
  expect([...reasons].sort()).toEqual(["malformed", "not_authentic", "other_key"]);
});

test("every cut is refused with a typed error", async () => {
  const sealed = await sealAesGcm(key, TEXT, DATA);
  for (let length = 0; length < sealed.length; length += 1) {
    const reason = await failure(openAesGcm(key, sealed.slice(0, length), DATA));
    expect(reason).toBe(length < 49 ? "malformed" : "not_authentic");
  }
});

test("other associated data does not open it", async () => {
  const sealed = await sealAesGcm(key, TEXT, DATA);
  for (const other of ["row 2", "row", "row 1 ", ""]) {
    const data = new TextEncoder().encode(other);
    expect(await failure(openAesGcm(key, sealed, data))).toBe("not_authentic");
  }
});

test("another key and another purpose do not open it", async () => {
  const sealed = await sealAesGcm(key, TEXT, DATA);
  const other = await importSealingKey(new Uint8Array(32).fill(9), PURPOSE);
  expect(await failure(openAesGcm(other, sealed, DATA))).toBe("other_key");
  const purpose = await importSealingKey(KEY_BYTES, "test/records/v2");
  expect(await failure(openAesGcm(purpose, sealed, DATA))).toBe("not_authentic");
});

test("sealing twice never uses a salt and nonce again", async () => {
  const heads = await Promise.all(
    Array.from({ length: 500 }, async () =>
      (await sealAesGcm(key, TEXT, DATA)).slice(5, 33).toHex(),
    ),
  );
  expect(new Set(heads).size).toBe(500);
});

test("sealed bytes name the key that sealed them", async () => {
  expect(sealingKeyId(await sealAesGcm(key, TEXT, DATA))).toBe(key.id);
});

test("a key of another length is refused", async () => {
  for (const length of [0, 16, 31, 33])
    await expect(importSealingKey(new Uint8Array(length), PURPOSE)).rejects.toThrow(RangeError);
});
