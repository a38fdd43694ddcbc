import { expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { actAs } from "../../src/std/effective_user.ts";

const OTHER = { uid: 65_534, gid: 65_533 };
const ids = () => ({ uid: process.geteuid?.() ?? -1, gid: process.getegid?.() ?? -1 });
const own = ids();

test("root acts as the owner until the end of the scope, and anybody else as themselves", () => {
  const folder = mkdtempSync(join(tmpdir(), "inference-proxy-test-"));
  chmodSync(folder, 0o777);
  const path = join(folder, "made");
  const expected = own.uid === 0 ? OTHER : own;
  {
    using _rights = actAs(OTHER);
    expect(ids()).toEqual(expected);
    writeFileSync(path, "");
  }
  expect(ids()).toEqual(own);
  expect(statSync(path)).toMatchObject(expected);
  rmSync(folder, { recursive: true });
});

test("rights come back after a failure too", () => {
  const fail = () => {
    using _rights = actAs(OTHER);
    throw new Error("failed");
  };
  expect(fail).toThrow("failed");
  expect(ids()).toEqual(own);
});

test("what is root's is done as root", () => {
  using _rights = actAs({ uid: 0, gid: OTHER.gid });
  expect(ids()).toEqual(own);
});
