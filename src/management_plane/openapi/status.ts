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

export const status: RouteGroup<ManagementErrorCode> = {
  name: "Status",
  about: "What the process says about itself.",
  schemas: { Status },
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
  },
};
