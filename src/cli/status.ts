import type { JsonObject } from "../std/json.ts";
import { type Command, JSON_FLAG } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { LOCAL_FLAGS, withLocal } from "./local.ts";
import { facts } from "./table.ts";

/** Shows one screen about the proxy of this machine. */
export const status: Command = {
  name: "status",
  group: "Run",
  summary: "Show how the proxy of this machine is doing",
  arguments: [],
  flags: [...LOCAL_FLAGS, JSON_FLAG],
  notes: ["Exits with 69 if no server runs; the database is looked at all the same."],
  examples: ["status", "status --json", "status --data-dir /var/lib/inference-proxy"],
  run: (line) =>
    withLocal(line, async ({ client, isRunning }) => {
      const told = await client.call("GET", "/operator/status");
      const report = { ...told, running: isRunning };
      console.log(line.flags.has("--json") ? JSON.stringify(report) : screen(told, isRunning));
      return isRunning ? EXIT.ok : EXIT.unavailable;
    }),
};

const MEGABYTE = 1024 * 1024;

function screen(told: JsonObject, isRunning: boolean): string {
  const running = [
    ["Server", `${told.draining === true ? "draining" : "running"}, process ${told.pid}`],
    ["Listens on", `${told.listen}`],
    ["Since", `${told.started_at}`],
    ["Calls", `${told.calls_in_flight} in flight`],
  ] as const;
  return facts([
    ...(isRunning ? running : ([["Server", "not running"]] as const)),
    ["Version", `${told.version}`],
    ["Data", `${told.data_dir}, ${megabytes(told.database_bytes)}, schema ${told.schema}`],
    ["Master key", `${told.master_key_id}`],
    ["Organizations", `${told.organizations}, cost circuit open: ${told.circuits_open}`],
    ["Providers", `${told.provider_configs} configured`],
    ["Keys", `${told.inference_keys} active`],
  ]);
}

function megabytes(bytes: unknown): string {
  return `${(Number(bytes) / MEGABYTE).toFixed(1)} MB`;
}
