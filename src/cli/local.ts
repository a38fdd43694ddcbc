import { existsSync } from "node:fs";
import { controlSocket, databasePath, openApp } from "../app.ts";
import { type Config, readConfig, readEnvironment } from "../config.ts";
import type { CommandLine } from "../std/flags.ts";
import { fetchUnix } from "../std/unix_server.ts";
import { ManagementClient } from "./management_client.ts";
import { openLog } from "./serve.ts";
import { settingFlags } from "./setting_flags.ts";
import { PLACES } from "./systemd/places.ts";

/** Where a proxy keeps what is its own, and how to reach it. */
export interface Local {
  readonly client: ManagementClient;
  readonly config: Config;
  /** Whether a server runs there; else the work is done in this process. */
  readonly isRunning: boolean;
}

/** There is no database where one is needed. */
export class NoDatabaseError extends Error {
  readonly dataDir: string;

  constructor(dataDir: string) {
    super(`Cannot find database: there is none in "${dataDir}"`);
    this.dataDir = dataDir;
  }
}

/** What every command that works on this machine's proxy takes. */
export const LOCAL_FLAGS = settingFlags("--data-dir", "--master-key-file");

/**
 * Lets a command act as the operator of a data directory: through the server that runs there, or on the database
 * itself while none runs. Nobody writes to a database beside its server.
 *
 * @throws {NoDatabaseError} If there is no database.
 * @throws {DataDirLockedError} If a process has the directory that cannot be talked to, such as one that starts.
 */
export async function withLocal<Result>(
  line: CommandLine,
  use: (local: Local) => Promise<Result>,
): Promise<Result> {
  const config = localConfig(line);
  if (await isServed(config)) {
    const socket = controlSocket(config.dataDir);
    const client = new ManagementClient((request) => fetchUnix(socket, request));
    return use({ client, config, isRunning: true });
  }
  if (!existsSync(databasePath(config.dataDir))) throw new NoDatabaseError(config.dataDir);
  const log = openLog({ ...config, logLevel: "warn" });
  const app = await openApp(config, { log, asOwner: true });
  try {
    const client = new ManagementClient((request) => app.operate(request));
    return await use({ client, config, isRunning: false });
  } finally {
    await app.close();
  }
}

/**
 * Reads the settings that say where the data are. Without any, that is `./data`, or where the system service keeps
 * them if there is nothing here.
 */
export function localConfig({ flags }: CommandLine): Config {
  const environment = readEnvironment();
  const config = readConfig(flags, environment);
  const isNamed = flags.has("--data-dir") || Boolean(environment["INFERENCE_PROXY_DATA_DIR"]);
  const isService = isNamed
    ? config.dataDir === PLACES.dataDir
    : !existsSync(config.dataDir) && existsSync(PLACES.dataDir);
  if (!isService) return config;
  const places = new Map([
    ["--data-dir", [PLACES.dataDir]],
    ...(existsSync(PLACES.masterKey) ? [["--master-key-file", [PLACES.masterKey]] as const] : []),
  ]);
  return readConfig(new Map([...places, ...flags]), environment);
}

/** Whether a server answers that serves from a data directory. @throws If this user may not ask. */
export async function isServed({ dataDir }: Pick<Config, "dataDir">): Promise<boolean> {
  const socket = controlSocket(dataDir);
  try {
    await fetchUnix(socket, new Request("http://localhost/operator/status", { method: "HEAD" }));
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "EACCES" || code === "EPERM") throw error;
    return false;
  }
}
