import { accessSync, constants, existsSync } from "node:fs";
import { databasePath } from "../../app.ts";
import type { Config } from "../../config.ts";
import { type MasterKeyReport, reportMasterKey } from "../../store/master_key_report.ts";
import { PROGRAM } from "../help.ts";
import { type Check, fail, ok, warn } from "./check.ts";
import { failedCheck } from "./failed_check.ts";

const NAME = "master key";

/** Compares the master key in its file with the one that the database needs. */
export async function checkMasterKey({ dataDir, masterKey }: Config): Promise<Check> {
  const { path } = masterKey;
  if (!isReadable(path)) {
    const fix = "run this as root, or as the user who owns the file";
    return warn(NAME, `${path} cannot be read by this user, so it was not compared`, fix);
  }
  try {
    return judge(await reportMasterKey(databasePath(dataDir), path));
  } catch (error) {
    return failedCheck(NAME, error);
  }
}

function judge({ path, heldId, problem, foundAt, neededIds, rotation }: MasterKeyReport): Check {
  if (problem !== null) {
    const isTold = heldId !== null || neededIds.length === 0;
    const wants = isTold ? "" : `; the database needs ${neededIds.join(" or ")}`;
    const fix =
      foundAt === null
        ? `put the right key in ${path}, or say where it is: --master-key-file FILE`
        : `such a key is in ${foundAt}: put it back in ${path}`;
    return fail(NAME, `${problem}${wants}`, fix);
  }
  if (heldId === null) return ok(NAME, `${path} is made by the first start`);
  const detail = `${path} holds ${heldId}, as the database needs`;
  if (rotation === null) return ok(NAME, detail);
  const unfinished = `${detail}; its replacement by ${rotation.toId} is unfinished`;
  return warn(NAME, unfinished, `${PROGRAM} master-key rotate goes on with it`);
}

/** What is not there is for the report to judge. */
function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    return code !== "EACCES" && !existsSync(path);
  }
}
