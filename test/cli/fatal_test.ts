import { expect, test } from "bun:test";
import { explainFailure, formatFailure, ListenError } from "../../src/cli/fatal.ts";
import { RotationInterruptedError } from "../../src/cli/rotate_master_key.ts";
import { ConfigError } from "../../src/config.ts";
import { FlagError } from "../../src/std/flags.ts";
import { DataDirError, DataDirLockedError } from "../../src/store/data_dir.ts";
import { DiscardRefusedError } from "../../src/store/discard_provider_keys.ts";
import { MissingMasterKeyError } from "../../src/store/master_key.ts";
import { MasterKeyFileError } from "../../src/store/master_key_file.ts";
import { DamagedKeyRingError, WrongMasterKeyError } from "../../src/store/master_key_ring.ts";
import { NewerSchemaError } from "../../src/store/migrate.ts";

const coded = (code: string) => Object.assign(new Error("as the system says"), { code });

const CASES: { error: unknown; exitCode: number; fix: string }[] = [
  { error: new FlagError("Cannot x: y", "write z"), exitCode: 64, fix: "write z" },
  { error: new ConfigError("Cannot x: y", "unset z"), exitCode: 78, fix: "unset z" },
  { error: new NewerSchemaError("0099_x", "0005_y"), exitCode: 65, fix: "newer version" },
  { error: coded("SQLITE_NOTADB"), exitCode: 65, fix: "backup" },
  { error: coded("SQLITE_CORRUPT_INDEX"), exitCode: 65, fix: "backup" },
  {
    error: new ListenError({ host: "127.0.0.1", port: 80 }, coded("EADDRINUSE")),
    exitCode: 69,
    fix: "--listen",
  },
  {
    error: new ListenError({ host: "9.9.9.9", port: 80 }, coded("EADDRNOTAVAIL")),
    exitCode: 69,
    fix: "--listen",
  },
  {
    error: new ListenError({ host: "127.0.0.1", port: 80 }, coded("EACCES")),
    exitCode: 77,
    fix: "1024",
  },
  { error: coded("SQLITE_FULL"), exitCode: 74, fix: "make room" },
  { error: coded("SQLITE_IOERR_WRITE"), exitCode: 74, fix: "check the disk" },
  { error: coded("SQLITE_BUSY_RECOVERY"), exitCode: 75, fix: "stop that process" },
  { error: new DataDirLockedError("/nowhere"), exitCode: 75, fix: "--data-dir" },
  { error: new DataDirError("/nowhere", "EACCES"), exitCode: 77, fix: "--data-dir" },
  { error: coded("SQLITE_CANTOPEN"), exitCode: 77, fix: "owner and mode" },
  { error: coded("SQLITE_READONLY_DBMOVED"), exitCode: 77, fix: "owner and mode" },
  { error: new WrongMasterKeyError(["aaaa"], "bbbb"), exitCode: 78, fix: "original master key" },
  { error: new MissingMasterKeyError("/k", ["aaaa"]), exitCode: 78, fix: "original master key" },
  {
    error: new MissingMasterKeyError("/k", ["aaaa"], "/k.next"),
    exitCode: 78,
    fix: "such a key is in /k.next: put it back in /k",
  },
  { error: new RotationInterruptedError("ECONNRESET"), exitCode: 69, fix: "goes on" },
  { error: new DiscardRefusedError("/k"), exitCode: 78, fix: "without" },
  { error: new DamagedKeyRingError("x"), exitCode: 65, fix: "other master key" },
  { error: new MasterKeyFileError("read", "/k", "z"), exitCode: 78, fix: "32 random bytes" },
];

for (const { error, exitCode, fix } of CASES) {
  test(`${String(error).slice(0, 60)} ends with exit code ${exitCode} and says what to do`, () => {
    const failure = explainFailure(error);
    expect(failure.exitCode as number).toBe(exitCode);
    expect(failure.what).toStartWith("Cannot ");
    expect(new Map(failure.facts).get("fix")).toContain(fix);
  });
}

test("anything else is called a fault of the program, with where it was", () => {
  const failure = explainFailure(new TypeError("x is not a function"));
  expect(failure.exitCode).toBe(70);
  expect(new Map(failure.facts).get("where")).toContain("fatal_test.ts");
  expect(explainFailure("thrown text").what).toBe("thrown text");
});

test("a failure is written as what is, then each fact on a line of its own", () => {
  const place = { path: "/k", foundAt: null };
  const failure = explainFailure(new WrongMasterKeyError(["aaaa", "cccc"], "bbbb", place));
  expect(formatFailure(failure).split("\n")).toEqual([
    "error: Cannot open vault: the database needs master key aaaa or cccc, offered: bbbb",
    "  needed    the key with id aaaa or cccc",
    "  offered   /k is the key with id bbbb",
    expect.stringMatching(/^  fix       put the original master key back/),
    expect.stringMatching(
      /^  if lost   "inference-proxy master-key rotate --discard-provider-keys"/,
    ),
  ]);
});
