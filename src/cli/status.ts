import type { JsonObject } from "../std/json.ts";
import { bytesText } from "./bytes.ts";
import { type Command, JSON_FLAG } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { LOCAL_FLAGS, withLocal } from "./local.ts";
import { shown } from "./print.ts";
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

function screen(told: JsonObject, isRunning: boolean): string {
  const say = (name: string) => shown(told[name]);
  const size = bytesText(Number(told.database_bytes));
  const running = [
    ["Server", `${told.draining === true ? "draining" : "running"}, process ${say("pid")}`],
    ["Listens on", say("listen")],
    ["Since", say("started_at")],
    ["Calls", `${say("calls_in_flight")} in flight`],
  ] as const;
  return facts([
    ...(isRunning ? running : ([["Server", "not running"]] as const)),
    ["Version", say("version")],
    ["Data", `${say("data_dir")}, ${size}, schema ${say("schema")}`],
    ["Master key", say("master_key_id")],
    ["Organizations", say("organizations")],
    ["Cost circuits", `${say("circuits_open")} open`],
    ["Providers", `${say("provider_configs")} configured`],
    ["Keys", `${say("inference_keys")} active`],
  ]);
}
