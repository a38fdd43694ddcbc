import { rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { FirstStart } from "../app.ts";
import { formatHostPort, type HostPort } from "../std/host_port.ts";
import type { Secret } from "../std/secret.ts";
import { versionLine } from "../version.ts";
import { PROGRAM } from "./help.ts";

/** Commands look there by themselves. */
const DATA_DIR_DEFAULT = "data";

/** Where the first password waits when there is no terminal to show it on. */
const PASSWORD_FILE = "initial-admin-password";

/** Returns where the first password waits, as an absolute path. */
export function passwordFile(dataDir: string): string {
  return resolve(dataDir, PASSWORD_FILE);
}

/** Writes the password to a file that only its owner can read, and returns the file's path. */
export function writePasswordFile(dataDir: string, password: Secret): string {
  const path = passwordFile(dataDir);
  // An older one belonged to a database that is gone, and writing into it would keep its mode.
  rmSync(path, { force: true });
  writeFileSync(path, `${password.reveal()}\n`, { mode: 0o600, flag: "wx" });
  return path;
}

/**
 * Returns what a terminal shows at the first start. It holds the password, which is stored nowhere.
 *
 * @param listening Null if listening failed: the password is shown all the same, for it exists once.
 */
export function firstStartBanner(first: FirstStart, listening: HostPort | null): string {
  const dataDir = dirname(first.databasePath);
  const flag = dataDir === DATA_DIR_DEFAULT ? "" : ` --data-dir ${dataDir}`;
  const url = `http://${formatHostPort(listening ?? { host: "127.0.0.1", port: 8080 })}`;
  return [
    versionLine(),
    "",
    `  Database    ${first.databasePath}  created, schema ${first.schema.slice(0, 4)}`,
    `  Master key  ${first.masterKeyPath}  ${first.masterKeyCreated ? "created" : "found"}, id ${first.masterKeyId}`,
    ...(listening === null ? [] : [`  API         ${url}/inference/v1`]),
    "",
    ...passwordLines(first),
    "",
    "Next, in another terminal:",
    `  ${PROGRAM} provider set openai${flag}                 # asks for the provider key`,
    `  ${PROGRAM} settings set --monthly-cost-limit 600${flag}`,
    `  ${PROGRAM} key create my-app --monthly-tokens 1000000${flag}`,
    ...(listening === null ? [] : [`The same by HTTP: ${url}/docs`]),
    "",
    "Keep a copy of the master key apart from the database: without it, stored provider keys",
    "cannot be opened.",
    "",
  ].join("\n");
}

function passwordLines(first: FirstStart): string[] {
  if (first.adminPassword === null)
    return [`First start. Sign in as "${first.adminUser}" with the password you gave.`];
  return [
    `First start. Sign in as "${first.adminUser}" with this password, shown once:`,
    "",
    `    ${first.adminPassword.reveal()}`,
  ];
}
