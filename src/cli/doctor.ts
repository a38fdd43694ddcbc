import { type Config, ConfigError } from "../config.ts";
import type { ProcessFacts } from "../management_plane/deps.ts";
import { readSurroundings } from "../process_facts.ts";
import type { CommandLine } from "../std/flags.ts";
import type { JsonObject } from "../std/json.ts";
import type { DatabaseReport } from "../store/database_report.ts";
import { SCHEMA } from "../store/migrate.ts";
import { VERSION } from "../version.ts";
import { type Command, JSON_FLAG, switchFlag } from "./command.ts";
import { type Check, checkLines, ok, summaryOf, warn } from "./doctor/check.ts";
import { checkData } from "./doctor/data_checks.ts";
import { failedCheck } from "./doctor/failed_check.ts";
import { checkMasterKey } from "./doctor/master_key_check.ts";
import { checkOrganizations } from "./doctor/organization_checks.ts";
import { checkPort } from "./doctor/port_check.ts";
import { checkProcess, checkSurroundings } from "./doctor/process_checks.ts";
import { checkService } from "./doctor/service_checks.ts";
import { EXIT } from "./exit_codes.ts";
import { isServed, type Local, LOCAL_FLAGS, localConfig, withLocal } from "./local.ts";
import { PROGRAM } from "./help.ts";
import { shown } from "./print.ts";
import { settingFlags } from "./setting_flags.ts";
import { thisMachine } from "./systemd/machine.ts";
import { SERVICE } from "./systemd/places.ts";
import { table } from "./table.ts";

const OFFLINE = switchFlag("--offline", "Ask no provider");

/** Looks at everything that the proxy needs, and says what to do about what is wrong. */
export const doctor: Command = {
  name: "doctor",
  group: "Run",
  summary: "Check all that the proxy needs, and say how to put right what is wrong",
  arguments: [],
  flags: [...LOCAL_FLAGS, ...settingFlags("--listen"), OFFLINE, JSON_FLAG],
  notes: [
    "Works whether the proxy runs or not. Each enabled provider is asked for its models with its key, which is",
    "free. Exits with 78 if a check fails; warnings do not count.",
  ],
  examples: ["doctor", "doctor --offline", "doctor --data-dir /var/lib/inference-proxy --json"],
  run: async (line) => {
    const findings = await examine(line);
    const { checks } = findings;
    const isWell = checks.every(({ state }) => state !== "fail");
    console.log(line.flags.has(JSON_FLAG.name) ? json(findings, isWell) : screen(findings));
    return isWell ? EXIT.ok : EXIT.configuration;
  },
};

type Setting = ProcessFacts["settings"][number];

interface Findings {
  readonly checks: readonly Check[];
  readonly settings: readonly Setting[];
  /** Whose settings they are. */
  readonly settingsOf: "server" | "command";
}

async function examine(line: CommandLine): Promise<Findings> {
  let config: Config;
  try {
    config = localConfig(line);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const checks = [failedCheck("configuration", error)];
    return { checks, settings: [], settingsOf: "command" };
  }
  const { checks, report } = await checkData(config.dataDir);
  const isSound = report !== null && report.damage === null;
  const before = [
    ...checks,
    ...(isSound ? [await checkMasterKey(config)] : []),
    ...checkService(thisMachine("/", () => {})),
  ];
  const isFit = isSound && before.every(({ state }) => state !== "fail");
  const after = await askProxy(line, config, isFit ? report : null);
  return { ...after, checks: [...before, ...after.checks] };
}

/**
 * Finds out what only the proxy can tell: the one that runs, or else the one that this process opens.
 *
 * @param report Of the database; null if the proxy would not start with what is there.
 */
async function askProxy(
  line: CommandLine,
  config: Config,
  report: DatabaseReport | null,
): Promise<Findings> {
  try {
    // Opening it would bring it up to date, which is for a start to do.
    const canOpen = report?.schema === SCHEMA;
    if (!canOpen && !(await isServed(config))) return unopened(config);
    return await withLocal(line, (local) => question(local, line, report));
  } catch (error) {
    return { ...unopened(config), checks: [failedCheck("proxy", error)] };
  }
}

/** What can be said without a proxy. */
function unopened(config: Config): Findings {
  const surroundings = { ...readSurroundings(config.surroundings), clock_behind_s: 0 };
  const checks = [NOT_RUNNING, checkPort(config.listen), ...checkSurroundings(surroundings)];
  return { checks, settings: [...config.given], settingsOf: "command" };
}

const NOT_RUNNING = warn(
  "server",
  "it does not run",
  `start it: ${PROGRAM} serve, or systemctl start ${SERVICE}`,
);

async function question(
  { client, config, isRunning }: Local,
  line: CommandLine,
  report: DatabaseReport | null,
): Promise<Findings> {
  const status = await client.call("GET", "/operator/status");
  if (isRunning && status.version !== VERSION) return otherVersion(status, config);
  // The same version on both sides.
  const facts = (await client.call("GET", "/operator/checks")) as unknown as ProcessFacts;
  const offline = line.flags.has(OFFLINE.name);
  return {
    checks: [
      ...(isRunning ? runningChecks(status, facts) : stoppedChecks(config, report)),
      ...checkSurroundings(facts),
      ...(await checkOrganizations(client, { offline })),
    ],
    settings: facts.settings,
    settingsOf: isRunning ? "server" : "command",
  };
}

/** Another version may not know what it would be asked. */
function otherVersion(status: JsonObject, config: Config): Findings {
  const detail = `it runs version ${shown(status.version)}, and this is ${VERSION}`;
  const checks = [warn("server", detail, "restart it, or check it with its own program")];
  return { checks, settings: [...config.given], settingsOf: "command" };
}

function runningChecks(status: JsonObject, facts: ProcessFacts): Check[] {
  const { pid, listen, started_at: since } = status;
  return [
    ok("server", `running since ${shown(since)}, process ${shown(pid)}`),
    ok("port", `${shown(listen)}, held by the server`),
    ...checkProcess(facts),
  ];
}

function stoppedChecks(config: Config, report: DatabaseReport | null): Check[] {
  const count = report?.holds.count ?? 0;
  const holds = `${count} left open by the last stop; they were posted as estimates now`;
  return [NOT_RUNNING, checkPort(config.listen), ...(count === 0 ? [] : [ok("holds", holds)])];
}

function json({ checks, settings, settingsOf }: Findings, isWell: boolean): string {
  return JSON.stringify({ ok: isWell, checks, settings_of: settingsOf, settings });
}

function screen({ checks, settings, settingsOf }: Findings): string {
  const columns = [
    { title: "SETTING", cell: (row: Setting) => row.name },
    { title: "VALUE", cell: (row: Setting) => row.value || "-" },
    { title: "FROM", cell: (row: Setting) => row.source },
  ];
  const whose = settingsOf === "server" ? "the server" : "this command";
  return [
    ...(settings.length === 0 ? [] : [`Settings of ${whose}:`, table(columns, settings, "")]),
    checkLines(checks),
    summaryOf(checks),
  ].join("\n\n");
}
