import * as v from "valibot";
import { answer, body, type RouteGroup } from "../../std/route_description.ts";
import type { ManagementErrorCode } from "../error_response.ts";
import { PutBody } from "../settings.ts";
import { count, id, time, yes } from "./shapes.ts";

/** An organization's settings. */
export const Settings = v.strictObject({
  organization_id: id("Whose settings"),
  eu_only: yes("Whether calls reach EU-resident routes only, or none"),
  monthly_cost_limit_cents: count(
    "What the organization's calls may cost in a UTC month, in US cents",
  ),
  circuit_open: yes("Whether the cost circuit is open: then every call is refused"),
  circuit_opened_at: v.optional(time("When it opened; absent while it is closed")),
  updated_at: time("When the settings were changed last"),
});

const EXAMPLE: v.InferInput<typeof Settings> = {
  organization_id: "019ecb27-2200-7440-b544-6f1f3a9d2c10",
  eu_only: false,
  monthly_cost_limit_cents: 60_000,
  circuit_open: false,
  updated_at: "2026-06-01T09:30:00Z",
};

const SETTINGS = "/organizations/{orgId}/inference/settings";

export const settings: RouteGroup<ManagementErrorCode> = {
  name: "Settings",
  about:
    "What holds for every call of an organization. Nothing goes through before there is a monthly cost limit.",
  schemas: { Settings },
  routes: {
    [`GET ${SETTINGS}`]: {
      id: "getSettings",
      summary: "Get the settings",
      answers: { 200: answer("The settings", Settings, EXAMPLE) },
      errors: ["settings_not_configured"],
    },
    [`PUT ${SETTINGS}`]: {
      id: "putSettings",
      summary: "Change the settings",
      about:
        "What is left out stays as it is. When a month's settled cost reaches the limit the cost circuit opens, and stays open until it is reset.",
      body: body(
        PutBody,
        {
          monthly_cost_limit_cents: "In US cents; required the first time",
          eu_only: "Whether calls may reach EU-resident routes only",
          reset_circuit:
            "Closes the cost circuit, unless this month's cost is still at or over the limit",
        },
        { monthly_cost_limit_cents: 60_000, eu_only: false },
      ),
      answers: { 200: answer("The settings as they are now", Settings, EXAMPLE) },
      errors: ["circuit_still_over"],
    },
  },
};
