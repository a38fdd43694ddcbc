import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createMasterKeyFile,
  MasterKeyFileError,
  readMasterKeyFile,
} from "../../src/store/master_key_file.ts";

const HEX = "f0e1d2c3b4a5968778695a4b3c2d1e0f".repeat(2);
const KEY = Uint8Array.fromHex(HEX);

let folder = "";
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "inference-proxy-test-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(content: string | Uint8Array, mode = 0o600): string {
  files += 1;
  const path = join(folder, `key${files}`);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

describe("readMasterKeyFile()", () => {
  const FORMS: [name: string, content: string | Uint8Array][] = [
    ["raw", KEY],
    ["in hex", HEX],
    ["in hex with a line end", `${HEX}\n`],
    ["in capital hex", HEX.toUpperCase()],
    ["in base64", KEY.toBase64()],
    ["in base64 with a line end", `${KEY.toBase64()}\r\n`],
    ["in base64 without padding", KEY.toBase64().replace("=", "")],
    ["in base64 for URLs", KEY.toBase64({ alphabet: "base64url" })],
  ];
  test.each(FORMS)("reads a key %s", (_, content) => {
    expect(readMasterKeyFile(write(content))).toEqual(KEY);
  });

  test("a file that only its owner reads will do", () => {
    expect(readMasterKeyFile(write(HEX, 0o400))).toEqual(KEY);
  });

  const BAD: [name: string, content: string | Uint8Array][] = [
    ["an empty file", ""],
    ["31 bytes", KEY.slice(1)],
    ["33 bytes", new Uint8Array([...KEY, 1])],
    ["half a key in hex", HEX.slice(32)],
    ["a passphrase of 32 characters", "correct horse battery staple 123"],
    ["hex with a letter too many", `${HEX}a`],
    ["two lines", `${HEX}\n${HEX}`],
    ["a large file", new Uint8Array(100_000).fill(65)],
    ["zeros", new Uint8Array(32)],
    ["zeros in hex", "00".repeat(32)],
    ["one byte repeated", new Uint8Array(32).fill(0xa7)],
    ["four bytes repeated", "deadbeef".repeat(8)],
    ["bytes that count up", Uint8Array.from({ length: 32 }, (_, index) => index + 1).toHex()],
  ];
  test.each(BAD)("refuses %s", (_, content) => {
    expect(() => readMasterKeyFile(write(content))).toThrow(MasterKeyFileError);
  });

  test.each([0o640, 0o604, 0o660, 0o610, 0o777])("refuses a file of mode %o", (mode) => {
    expect(() => readMasterKeyFile(write(HEX, mode))).toThrow(`mode ${mode.toString(8)}`);
  });

  test("in a guarded folder the group may read, others still may not", () => {
    expect(readMasterKeyFile(write(HEX, 0o440), { guarded: true })).toEqual(KEY);
    expect(() => readMasterKeyFile(write(HEX, 0o444), { guarded: true })).toThrow("mode 444");
  });

  test("a missing file is no key, a folder is an error", () => {
    expect(readMasterKeyFile(join(folder, "missing"))).toBeNull();
    const path = join(folder, "folder");
    mkdirSync(path, { mode: 0o700 });
    expect(() => readMasterKeyFile(path)).toThrow(MasterKeyFileError);
  });

  test("errors name the file and never its content", () => {
    const path = write(`${HEX}a`);
    expect(() => readMasterKeyFile(path)).toThrow(`Cannot read master key file "${path}"`);
    expect(() => readMasterKeyFile(path)).not.toThrow(HEX);
  });
});

describe("createMasterKeyFile()", () => {
  test("writes a new key that only its owner may read, and that reads back", () => {
    const path = join(folder, "new");
    const key = createMasterKeyFile(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readMasterKeyFile(path)).toEqual(key);
    expect(createMasterKeyFile(join(folder, "new2"))).not.toEqual(key);
  });

  test("leaves a file that exists as it is", () => {
    const path = write(HEX);
    expect(() => createMasterKeyFile(path)).toThrow("it exists");
    expect(readFileSync(path, "utf8")).toBe(HEX);
  });

  test("says that the folder is missing", () => {
    expect(() => createMasterKeyFile(join(folder, "missing", "key"))).toThrow(
      "its folder does not exist",
    );
  });
});
