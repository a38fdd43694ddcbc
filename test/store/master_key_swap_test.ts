import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { idOfSealingKey } from "../../src/std/aes_gcm.ts";
import {
  createMasterKeyFile,
  MasterKeyFileError,
  readMasterKeyFile,
} from "../../src/store/master_key_file.ts";
import {
  ensureNextMasterKey,
  findMasterKeyBeside,
  keptMasterKeyPath,
  nextMasterKeyPath,
  swapMasterKeys,
} from "../../src/store/master_key_swap.ts";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inference-proxy-test-"));
  path = join(folder, "master.key");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (file: string) => statSync(file).mode & 0o777;

describe("ensureNextMasterKey()", () => {
  test("draws a key for its owner alone, and gives the same again", () => {
    createMasterKeyFile(path);
    const next = ensureNextMasterKey(path);
    expect(next).not.toEqual(readMasterKeyFile(path) ?? next);
    expect(readMasterKeyFile(nextMasterKeyPath(path))).toEqual(next);
    expect(modeOf(nextMasterKeyPath(path))).toBe(0o600);
    expect(ensureNextMasterKey(path)).toEqual(next);
    expect(readdirSync(folder).sort()).toEqual(["master.key", "master.key.next"]);
  });

  test("draws a key where there was none, and begins again over a draft that a power cut left", () => {
    writeFileSync(`${path}.next.draft`, "0123");
    const next = ensureNextMasterKey(path);
    expect(readMasterKeyFile(nextMasterKeyPath(path))).toEqual(next);
    expect(existsSync(`${path}.next.draft`)).toBe(false);
  });

  test("does not take a next key that others may have read", () => {
    ensureNextMasterKey(path);
    chmodSync(nextMasterKeyPath(path), 0o644);
    expect(() => ensureNextMasterKey(path)).toThrow("others may read it");
  });

  test("says that the folder is missing", () => {
    expect(() => ensureNextMasterKey(join(folder, "missing", "master.key"))).toThrow();
  });

  if (process.getuid?.() === 0)
    test("gives the file to the owner of the master key, or of the folder", () => {
      createMasterKeyFile(path);
      chownSync(path, 65534, 65534);
      ensureNextMasterKey(path);
      expect(statSync(nextMasterKeyPath(path))).toMatchObject({ uid: 65534, gid: 65534 });
    });
});

describe("swapMasterKeys()", () => {
  test("puts the next key in the place of the old one, which is kept under its id", () => {
    const old = createMasterKeyFile(path);
    const next = ensureNextMasterKey(path);
    swapMasterKeys(path);
    expect(readMasterKeyFile(path)).toEqual(next);
    const kept = keptMasterKeyPath(path, idOfSealingKey(old));
    expect(readMasterKeyFile(kept)).toEqual(old);
    expect([modeOf(path), modeOf(kept)]).toEqual([0o600, 0o600]);
    expect(existsSync(nextMasterKeyPath(path))).toBe(false);
  });

  test("goes on where an earlier one ended, with the old key kept already", () => {
    const old = createMasterKeyFile(path);
    const next = ensureNextMasterKey(path);
    writeFileSync(keptMasterKeyPath(path, idOfSealingKey(old)), readFileSync(path), {
      mode: 0o600,
    });
    swapMasterKeys(path);
    expect(readMasterKeyFile(path)).toEqual(next);
    expect(readMasterKeyFile(keptMasterKeyPath(path, idOfSealingKey(old)))).toEqual(old);
  });

  test("works where there was no key, or a file that holds none", () => {
    const first = ensureNextMasterKey(path);
    swapMasterKeys(path);
    expect(readMasterKeyFile(path)).toEqual(first);
    writeFileSync(path, "scribble");
    const second = ensureNextMasterKey(path);
    swapMasterKeys(path);
    expect(readMasterKeyFile(path)).toEqual(second);
    expect(readFileSync(`${path}.unusable`, "utf8")).toBe("scribble");
  });

  test("without a next key leaves everything as it is", () => {
    const old = createMasterKeyFile(path);
    expect(() => swapMasterKeys(path)).toThrow(MasterKeyFileError);
    expect(readMasterKeyFile(path)).toEqual(old);
    expect(readdirSync(folder)).toEqual(["master.key"]);
  });
});

describe("findMasterKeyBeside()", () => {
  test("finds a key that is needed, whether it is kept or next", () => {
    const first = createMasterKeyFile(path);
    const ids = [idOfSealingKey(first), idOfSealingKey(ensureNextMasterKey(path))];
    expect(findMasterKeyBeside(path, ids)).toBe(nextMasterKeyPath(path));
    expect(findMasterKeyBeside(path, ids.slice(0, 1))).toBeNull();
    swapMasterKeys(path);
    expect(findMasterKeyBeside(path, ids)).toBe(keptMasterKeyPath(path, ids[0] ?? ""));
    expect(findMasterKeyBeside(path, ["00000000"])).toBeNull();
  });

  test("takes no file by its name alone", () => {
    writeFileSync(keptMasterKeyPath(path, "0badc0de"), "scribble");
    expect(findMasterKeyBeside(path, ["0badc0de"])).toBeNull();
  });
});
