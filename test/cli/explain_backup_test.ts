import { expect, test } from "bun:test";
import { explainBackup } from "../../src/cli/explain_backup.ts";
import { explainFailure } from "../../src/cli/fatal.ts";
import { TarError } from "../../src/std/tar.ts";
import { BackupTargetError } from "../../src/store/backup.ts";
import { BackupArchiveError } from "../../src/store/backup_archive.ts";
import { DamagedDatabaseError } from "../../src/store/integrity.ts";
import { DatabaseExistsError } from "../../src/store/restore.ts";

const CASES: { error: Error; exitCode: number; fix: string }[] = [
  {
    error: new DamagedDatabaseError("data/x.db", "page 7 is gone"),
    exitCode: 65,
    fix: "inference-proxy restore",
  },
  { error: new BackupTargetError("x.tar", "exists"), exitCode: 65, fix: "--force" },
  { error: new BackupTargetError("x.tar", "no_file"), exitCode: 65, fix: "standard output" },
  { error: new BackupTargetError("x.tar", "no_folder"), exitCode: 66, fix: "create" },
  { error: new BackupTargetError("x.tar", "not_writable"), exitCode: 77, fix: "may write" },
  { error: new DatabaseExistsError("data/x.db"), exitCode: 65, fix: "--force" },
  { error: new BackupArchiveError("it is empty"), exitCode: 65, fix: "as it was" },
  { error: new TarError("it ends too early"), exitCode: 65, fix: "as it was" },
];

for (const { error, exitCode, fix } of CASES) {
  test(`"${error.message}" is explained, with what to do`, () => {
    const failure = explainFailure(error);
    expect(failure).toMatchObject({ what: error.message, exitCode });
    expect(failure.facts.at(-1)).toEqual(["fix", expect.stringContaining(fix) as never]);
  });
}

test("what is wrong with a database is told", () => {
  const error = new DamagedDatabaseError("data/x.db", "page 7 is gone");
  expect(explainBackup(error)?.facts[0]).toEqual(["why", "page 7 is gone"]);
});

test("other failures are somebody else's", () => {
  expect(explainBackup(new Error("anything"))).toBeNull();
});
