import type { Migration } from "kysely/migration";
import * as organizations from "./0001_create_organizations.ts";
import * as providerConfigs from "./0002_create_provider_configs.ts";
import * as inferenceKeys from "./0003_create_inference_keys.ts";
import * as calls from "./0004_create_calls.ts";
import * as auditEvents from "./0005_create_audit_events.ts";
import * as modelPrices from "./0006_create_model_prices.ts";

/** Every migration, oldest first: a compiled binary cannot list a folder. A released one never changes. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001_create_organizations": organizations,
  "0002_create_provider_configs": providerConfigs,
  "0003_create_inference_keys": inferenceKeys,
  "0004_create_calls": calls,
  "0005_create_audit_events": auditEvents,
  "0006_create_model_prices": modelPrices,
};
