import { existsSync, lstatSync, readdirSync, readFileSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { databasePath } from "../../app.ts";
import { type DatabaseReport, reportDatabase } from "../../store/database_report.ts";
import { requireKnownSchema, SCHEMA } from "../../store/migrate.ts";
import { bytesText } from "../bytes.ts";
import { RESTORE_FIX } from "../explain_backup.ts";
import { PROGRAM } from "../help.ts";
import { type Check, fail, ok, warn } from "./check.ts";
import { failedCheck } from "./failed_check.ts";

const MEGABYTE = 1024 * 1024;

/** Above this the log was not written back for long. */
const LOG_BYTES_MAX = 256 * MEGABYTE;

/** Below these, a busy day or a backup fills the disk; or the next call does. */
const FREE_BYTES_MIN = { warn: 1024 * MEGABYTE, fail: 64 * MEGABYTE };

/** What was found on the disk. */
export interface DataFindings {
  readonly checks: readonly Check[];
  /** Null if there is no database, or it cannot be read. */
  readonly report: DatabaseReport | null;
}

/** Looks at a data directory and the database in it. Nothing is changed. */
export async function checkData(dataDir: string): Promise<DataFindings> {
  const folder = checkFolder(dataDir);
  const path = databasePath(dataDir);
  if (folder.state === "fail" || !existsSync(dataDir)) return { checks: [folder], report: null };
  const disk = checkDisk(dataDir);
  if (!existsSync(path)) return { checks: [folder, disk, NO_DATABASE], report: null };
  try {
    const report = await reportDatabase(path);
    return { checks: [folder, disk, ...checkDatabase(report)], report };
  } catch (error) {
    return { checks: [folder, disk, failedCheck("database", error)], report: null };
  }
}

const NO_DATABASE = warn(
  "database",
  "there is none yet",
  `the first start makes it: ${PROGRAM} serve; or say where it is: --data-dir DIR`,
);

/** Judges who may enter a data directory, and whether its files belong to whoever owns it. */
function checkFolder(dataDir: string): Check {
  const name = "data directory";
  const folder = lstatSync(dataDir, { throwIfNoEntry: false });
  if (folder === undefined) return warn(name, `${dataDir} is not there`, NO_DATABASE.fix ?? "");
  try {
    const owner = userName(folder.uid);
    const strangers = readdirSync(dataDir).filter(
      (file) => lstatSync(join(dataDir, file), { throwIfNoEntry: false })?.uid !== folder.uid,
    );
    if (strangers.length > 0) {
      const detail = `${strangers.join(", ")} in ${dataDir} ${strangers.length === 1 ? "does" : "do"} not belong to its owner, ${owner}`;
      return fail(name, detail, `chown -R ${owner} ${dataDir}`);
    }
    const mode = (folder.mode & 0o777).toString(8);
    const detail = `${dataDir}, owner ${owner}, mode ${mode}`;
    if ((folder.mode & 0o077) === 0) return ok(name, detail);
    return warn(name, `${detail}: others may look into it`, `chmod 700 ${dataDir}`);
  } catch (error) {
    return failedCheck(name, error);
  }
}

function checkDisk(dataDir: string): Check {
  const { bavail, blocks, bsize } = statfsSync(dataDir);
  const free = bavail * bsize;
  const detail = `${bytesText(free)} free of ${bytesText(blocks * bsize)}`;
  if (free < FREE_BYTES_MIN.fail)
    return fail("disk", `${detail}: a full disk refuses all calls`, "make room on it");
  if (free < FREE_BYTES_MIN.warn) return warn("disk", detail, "make room on it");
  return ok("disk", detail);
}

/** Judges what can be said of a database from outside. */
export function checkDatabase(report: DatabaseReport): Check[] {
  const { bytes, logBytes, damage, isChecked } = report;
  if (damage !== null) return [fail("database", `it is damaged: ${damage}`, RESTORE_FIX)];
  const checked = isChecked ? "sound" : `too large to be read through here: ${PROGRAM} backup does`;
  const log = bytesText(logBytes);
  return [
    ok("database", `${bytesText(bytes)}, ${checked}`),
    checkSchema(report.schema),
    logBytes > LOG_BYTES_MAX
      ? warn("database log", log, "a backup that runs holds it up; else restart the proxy")
      : ok("database log", log),
  ];
}

function checkSchema(schema: string | null): Check {
  const name = "schema";
  try {
    requireKnownSchema(schema);
  } catch (error) {
    return failedCheck(name, error);
  }
  if (schema === SCHEMA) return ok(name, schema);
  const detail = `${schema ?? "none"}, and this version has ${SCHEMA}`;
  return warn(name, detail, "the next start brings it up to date; back up first");
}

/** Returns a user's name, or the number where nobody has a name for it. */
function userName(uid: number): string {
  try {
    const users = readFileSync("/etc/passwd", "utf8");
    return new RegExp(`^([^:\\n]+):[^:\\n]*:${uid}:`, "m").exec(users)?.[1] ?? String(uid);
  } catch {
    return String(uid);
  }
}
