import { type App, type Listening, openApp } from "../app.ts";
import { type Config, parseConfig, readEnvironment, SETTING_ROWS } from "../config.ts";
import { systemClock } from "../std/clock.ts";
import { formatHostPort } from "../std/host_port.ts";
import { createLog, type Log } from "../std/log.ts";
import { SCHEMA } from "../store/migrate.ts";
import type { Command } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { ListenError } from "./fatal.ts";
import { ensureFetchCapacity } from "./fetch_capacity.ts";
import { firstStartBanner, writePasswordFile } from "./first_start.ts";
import { untilStopped, watchSignals } from "./until_stopped.ts";
import { VERSION } from "./version.ts";

/** Runs the proxy: what a service manager starts. */
export const serve: Command = {
  name: "serve",
  summary: "Run the proxy",
  usage: "serve [FLAGS]",
  flags: [
    ...settingLines(),
    "  INFERENCE_PROXY_ADMIN_PASSWORD",
    "      The password itself, in the environment only",
    "",
    "Flags beat the environment, which beats the defaults. $CREDENTIALS_DIRECTORY/master-key beats",
    "--master-key-file.",
  ],
  examples: [
    "serve",
    "serve --listen 127.0.0.1:8080 --data-dir /var/lib/inference-proxy",
    "serve --allow-upstream gateway.internal:443",
  ],
  run: async (argv) => {
    const environment = readEnvironment();
    const config = parseConfig(argv, environment);
    ensureFetchCapacity(environment);
    const log = openLog(config);
    const signals = watchSignals(log);
    const app = await openApp(config, { log });
    try {
      announce(app, config, log);
    } catch (error) {
      await app.close();
      throw error;
    }
    await untilStopped(app, log, signals);
    return EXIT.ok;
  },
};

/** Opens the log that the configuration asks for, on standard error. */
export function openLog(config: Pick<Config, "logLevel" | "logFormat">): Log {
  const { logLevel: level, logFormat: format } = config;
  return createLog({
    level,
    human: format === "human" || (format === "auto" && process.stderr.isTTY),
    nowMs: () => systemClock.wallMs(),
    write: (line) => void process.stderr.write(line),
  });
}

/** Begins to listen and says so; at a first start, also tells the password, whether listening works or not. */
function announce(app: App, config: Config, log: Log): void {
  const first = app.firstStart;
  const banner = first !== null && process.stdout.isTTY;
  if (first !== null && first.adminPassword !== null && !banner) {
    const path = writePasswordFile(config.dataDir, first.adminPassword);
    log.info("first start: the password is in a file", { user: first.adminUser, path });
  }
  let listening: Listening | null = null;
  try {
    listening = app.listen();
  } catch (error) {
    throw new ListenError(formatHostPort(config.listen), error);
  } finally {
    if (first !== null && banner) console.log(firstStartBanner(first, listening));
  }
  log.info("ready", {
    listen: formatHostPort(listening),
    data_dir: config.dataDir,
    schema: SCHEMA,
    version: VERSION,
    startup_ms: Math.round(systemClock.monotonicMs()),
  });
}

function settingLines(): string[] {
  return SETTING_ROWS.flatMap((row) => {
    const unset = row.default === "" ? "" : ` (default ${row.default})`;
    const again = row.repeatable ? "; may be repeated" : "";
    return [
      `  ${row.flag} ${row.value}${unset}`,
      `      ${row.help}${again}`,
      `      ${row.environment}`,
    ];
  });
}
