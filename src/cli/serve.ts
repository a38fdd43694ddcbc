import { type App, type Listening, openApp } from "../app.ts";
import {
  type Config,
  proxyVariables,
  readConfig,
  readEnvironment,
  takeServiceEnvironment,
} from "../config.ts";
import { systemClock } from "../std/clock.ts";
import { formatHostPort } from "../std/host_port.ts";
import { LineBatch } from "../std/line_batch.ts";
import { createLog, type Log } from "../std/log.ts";
import { SCHEMA } from "../store/migrate.ts";
import type { Command } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { ListenError } from "./fatal.ts";
import { SETTING_FLAGS } from "./setting_flags.ts";
import { firstStartBanner, writePasswordFile } from "./first_start.ts";
import { openService } from "./systemd/service.ts";
import { isJournal, isTerminal, STDERR, stderrOutput } from "./log_output.ts";
import { untilStopped, watchSignals } from "./until_stopped.ts";
import { VERSION } from "../version.ts";

/** Runs the proxy: what a service manager starts. */
export const serve: Command = {
  name: "serve",
  group: "Run",
  summary: "Run the proxy",
  arguments: [],
  flags: SETTING_FLAGS,
  notes: [
    "  INFERENCE_PROXY_ADMIN_PASSWORD",
    "      The first password itself, in the environment only",
    "",
    "Flags beat the environment, which beats the defaults. $CREDENTIALS_DIRECTORY/master-key beats",
    "--master-key-file.",
  ],
  examples: [
    "serve",
    "serve --listen 127.0.0.1:8080 --data-dir /var/lib/inference-proxy",
    "serve --allow-upstream gateway.internal:443",
  ],
  run: async ({ flags }) => {
    const environment = readEnvironment();
    const config = readConfig(flags, environment);
    const log = openLog(config);
    const proxies = proxyVariables(environment);
    if (proxies.length > 0)
      log.warn("providers are called directly, not through a proxy", { unused: proxies.join(" ") });
    const { drainTimeoutMs } = config;
    const service = openService(takeServiceEnvironment(), { drainTimeoutMs, log });
    const signals = watchSignals(log, () => service?.reloaded());
    const app = await openApp(config, { log });
    try {
      announce(app, config, log);
      await service?.ready(app);
    } catch (error) {
      await app.close();
      throw error;
    }
    await untilStopped(app, log, signals, service);
    return EXIT.ok;
  },
};

/**
 * Opens the log that the configuration asks for, on standard error. The lines of one turn go together; warnings and
 * errors go at once, and whatever is left goes at the end of the process.
 */
export function openLog(config: Pick<Config, "logLevel" | "logFormat" | "journalStream">): Log {
  const { logLevel: level, logFormat: format } = config;
  const lines = new LineBatch(stderrOutput(), (dropped) => {
    log.warn("nobody read the log for a while, so lines are missing", { lines: dropped });
  });
  process.on("exit", () => lines.flushNow());
  const log = createLog({
    level,
    human: format === "human" || (format === "auto" && isTerminal(STDERR)),
    journal: isJournal(config.journalStream),
    nowMs: () => systemClock.wallMs(),
    write: (line, of) => {
      lines.write(line);
      if (of === "warn" || of === "error") lines.flush();
    },
  });
  return log;
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
    throw new ListenError(config.listen, error);
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
