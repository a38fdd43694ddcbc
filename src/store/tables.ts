import type { Insertable, Kysely, Selectable, Transaction } from "kysely";
import type { Operation, ProviderId } from "../domain/provider.ts";
import type { Ending, HoldState } from "../domain/hold.ts";
import type { Role } from "../domain/organization.ts";

/** 0 or 1: the column types are text, integer and bigint only, so that PostgreSQL can run the same queries. */
export type Flag = 0 | 1;

export interface OrganizationsTable {
  id: string;
  name: string;
  slug: string;
  is_personal: Flag;
  created_at_ms: number;
}

export interface UsersTable {
  id: string;
  /** Folded: what people type in any case finds one row. */
  name: string;
  password_hash: string;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface MembershipsTable {
  organization_id: string;
  user_id: string;
  role: Role;
  created_at_ms: number;
}

export interface ProviderConfigsTable {
  id: string;
  organization_id: string;
  provider: ProviderId;
  base_url: string | null;
  eu_endpoint: Flag;
  enabled: Flag;
  /** The sealed provider key, base64; empty once it was discarded. */
  sealed_key: string;
  /** The master key that sealed it; null if nothing opens it. */
  master_key_id: string | null;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface InferenceKeysTable {
  id: string;
  organization_id: string;
  name: string;
  /** `fdb-inf-` and four characters, for people to tell keys apart. */
  key_prefix: string;
  /** SHA-256 of the key, hex. The key itself is stored nowhere. */
  key_hash: string;
  monthly_token_limit: number;
  rate_limit_rpm: number;
  status: "active" | "suspended" | "revoked";
  created_at_ms: number;
  revoked_at_ms: number | null;
}

export interface OrgSettingsTable {
  organization_id: string;
  eu_only: Flag;
  monthly_cost_limit_cents: number;
  /** Null while the cost circuit is closed. */
  circuit_opened_at_ms: number | null;
  created_at_ms: number;
  updated_at_ms: number;
}

/** Settled tokens of a key in a month. `month` is a UTC month as the number YYYYMM. */
export interface KeyMonthsTable {
  key_id: string;
  month: number;
  used_tokens: number;
}

/** Settled cost of an organization in a month. */
export interface OrgMonthsTable {
  organization_id: string;
  month: number;
  cost_microcents: number;
}

/** One row per admitted call: its hold at first, its record once settled. No prompts, ever. */
export interface CallsTable {
  /** A UUIDv7, so rows stand in order of admission. */
  id: string;
  organization_id: string;
  key_id: string;
  provider: ProviderId;
  operation: Operation;
  /** `provider/model` as the client asked. */
  requested_model: string;
  /** What the provider says it used. */
  served_model: string | null;
  streamed: Flag;
  admitted_at_ms: number;
  month: number;
  state: HoldState;
  held_tokens: number;
  held_cost_microcents: number;
  ending: Ending | null;
  ended_at_ms: number | null;
  /** The HTTP status that the provider answered with. */
  upstream_status: number | null;
  /** 1 if the usage was not reported by the provider. */
  estimated: Flag;
  input_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
  cost_microcents: number;
  /** The part of the cache writes kept for an hour. */
  cache_write_1h_tokens: number;
  /** The parts of input and output that were audio. */
  input_audio_tokens: number;
  output_audio_tokens: number;
  /** Which price the cost was computed with; this and what follows are null unless the call was posted. */
  price_id: string | null;
  price_percent: number | null;
  /** The input tokens above which these rates hold; null for a price's ordinary ones. */
  price_tier_above: number | null;
  /** The rates themselves, as JSON: catalogues and overrides change, and what was charged does not. */
  price_rates: string | null;
}

/** What an organization says that a model costs. Rates are microcents per million tokens. */
export interface ModelPricesTable {
  organization_id: string;
  provider: ProviderId;
  /** In the provider's own words. */
  model: string;
  /** The `provider/model` of the catalogue that it is priced as; null if it has rates. */
  alias_of: string | null;
  input: number | null;
  output: number | null;
  cache_read: number | null;
  cache_write: number | null;
  cache_write_1h: number | null;
  input_audio: number | null;
  output_audio: number | null;
  created_at_ms: number;
  updated_at_ms: number;
}

/** What the usage report reads: charged calls summed up over a time, by the moment of their admission. */
interface UsageTable {
  organization_id: string;
  key_id: string;
  provider: ProviderId;
  requested_model: string;
  calls: number;
  estimated_calls: number;
  input_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
  cost_microcents: number;
}

/** `hour` counts hours since the Unix epoch. */
export interface UsageHoursTable extends UsageTable {
  hour: number;
}

/** `day` counts UTC days since the Unix epoch. */
export interface UsageDaysTable extends UsageTable {
  day: number;
}

/** The master keys in use: one, or two while one replaces the other. */
export interface MasterKeysTable {
  id: string;
  /** Opens only with the right key. */
  check_value: string;
  /** 1 for the one key that seals. */
  is_primary: Flag;
  /** The key itself, sealed by the other one; null while there is no other. */
  wrapped_key: string | null;
  created_at_ms: number;
}

export interface AuditEventsTable {
  id: string;
  organization_id: string | null;
  /** Who did it: a user's name, `operator`, or `system`. */
  actor: string;
  /** Where from: an IP address, or `local`. */
  address: string;
  /** What happened, such as `inference_key.revoke`. */
  action: string;
  /** The id of what it was done to. */
  target: string;
  /** JSON of what changed. Never a secret. */
  detail: string;
  happened_at_ms: number;
}

export interface Tables {
  organizations: OrganizationsTable;
  users: UsersTable;
  memberships: MembershipsTable;
  provider_configs: ProviderConfigsTable;
  inference_keys: InferenceKeysTable;
  org_settings: OrgSettingsTable;
  key_months: KeyMonthsTable;
  org_months: OrgMonthsTable;
  calls: CallsTable;
  usage_hours: UsageHoursTable;
  usage_days: UsageDaysTable;
  master_keys: MasterKeysTable;
  audit_events: AuditEventsTable;
  model_prices: ModelPricesTable;
}

/** A database or an open transaction: queries take either, and their caller decides which. */
export type Db = Kysely<Tables> | Transaction<Tables>;

export type Row<Table extends keyof Tables> = Selectable<Tables[Table]>;
export type NewRow<Table extends keyof Tables> = Insertable<Tables[Table]>;
