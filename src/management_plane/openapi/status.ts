import * as v from "valibot";
import { answer, type RouteGroup } from "../../std/route_description.ts";
import type { ManagementErrorCode } from "../error_response.ts";
import { count, label, time, yes } from "./shapes.ts";

/** How the process is doing. */
export const Status = v.strictObject({
  version: label("Of the program"),
  pid: count("Of the process"),
  started_at: time("When it started"),
  listen: v.nullable(label("The address that it listens on; null if it does not")),
  data_dir: label("Where its data is"),
  schema: label("The last migration of the database"),
  master_key_id: label("Which master key seals its provider keys"),
  draining: yes("Whether it is about to stop, and takes no new calls"),
  calls_in_flight: count("Calls being served now"),
  organizations: count("How many there are"),
  provider_configs: count("How many there are"),
  inference_keys: count("How many are active"),
  circuits_open: count("Organizations whose cost circuit is open"),
  database_bytes: count("Size of the database file"),
});

/** What the process knows of itself that decides whether it serves well. */
export const ProcessFacts = v.strictObject({
  draining: yes("Whether it is about to stop, and takes no new calls"),
  jit_active: yes("Whether its engine compiles to machine code; without, it is many times slower"),
  fetch_capacity: count("How many requests to providers it sends at a time"),
  concurrency: count("How many calls it serves at a time"),
  open_files: v.nullable(count("Files and connections; null where the system does not tell")),
  open_files_soft: v.nullable(count("How many there may be; null if there is no limit")),
  open_files_hard: v.nullable(count("How far that limit may be raised; null if without limit")),
  loop_lag_ms: v.nullable(
    v.pipe(
      v.number(),
      v.minValue(0),
      v.description("The longest that work waited for its turn in the last minute"),
    ),
  ),
  ledger_writable: yes("Whether the ledger can be written: else all calls are refused"),
  holds_pending: count("Calls that are not settled"),
  oldest_hold_s: v.nullable(count("The age of the oldest of them, in seconds")),
  clock_behind_s: count("How far the clock is behind what is written down, in seconds"),
  memory_bytes: count("Resident memory"),
  memory_limit_bytes: count("Above it calls are refused; 0 is no limit"),
  proxies: v.pipe(
    v.array(v.string()),
    v.description("Variables of its environment that name a proxy, none of which is used"),
  ),
  authorities: v.pipe(
    v.array(
      v.strictObject({
        name: label("The variable"),
        path: label("The file or folder that it names"),
        readable: yes("Whether the process may read it"),
      }),
    ),
    v.description("Variables of its environment that name certificates to trust"),
  ),
  settings: v.pipe(
    v.array(
      v.strictObject({
        name: label("The flag, or the variable if there is no flag"),
        value: label("As it was given; of a secret only `set`"),
        source: label("Who gave it: `flag`, `environment`, `credential` or `default`"),
      }),
    ),
    v.description("Every setting, and where it comes from"),
  ),
});

const EXAMPLE_FACTS: v.InferInput<typeof ProcessFacts> = {
  draining: false,
  jit_active: true,
  fetch_capacity: 16_384,
  concurrency: 8000,
  open_files: 41,
  open_files_soft: 65_536,
  open_files_hard: 65_536,
  loop_lag_ms: 1.4,
  ledger_writable: true,
  holds_pending: 3,
  oldest_hold_s: 12,
  clock_behind_s: 0,
  memory_bytes: 94_371_840,
  memory_limit_bytes: 858_993_459,
  proxies: [],
  authorities: [{ name: "NODE_EXTRA_CA_CERTS", path: "/etc/ssl/own.pem", readable: true }],
  settings: [{ name: "--listen", value: "127.0.0.1:8080", source: "default" }],
};

export const status: RouteGroup<ManagementErrorCode> = {
  name: "Status",
  about: "What the process says about itself.",
  schemas: { Status, ProcessFacts },
  routes: {
    "GET /operator/status": {
      id: "getStatus",
      summary: "Get the status",
      answers: {
        200: answer("The status", Status, {
          version: "1.0.0",
          pid: 2114,
          started_at: "2026-06-01T09:30:00Z",
          listen: "127.0.0.1:8080",
          data_dir: "./data",
          schema: "0007_create_example",
          master_key_id: "4f1c-9a",
          draining: false,
          calls_in_flight: 3,
          organizations: 2,
          provider_configs: 3,
          inference_keys: 12,
          circuits_open: 0,
          database_bytes: 4_194_304,
        }),
      },
      errors: [],
    },
    "GET /operator/checks": {
      id: "getProcessFacts",
      summary: "Get what only the process can tell",
      about: "What `inference-proxy doctor` judges by, while the proxy runs.",
      answers: { 200: answer("What it found", ProcessFacts, EXAMPLE_FACTS) },
      errors: [],
    },
  },
};
