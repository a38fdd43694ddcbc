import type { Rates } from "../domain/price.ts";
import {
  formatModelName,
  type ModelName,
  parseModelName,
  type ProviderId,
} from "../domain/provider.ts";
import { BoundedMap } from "../std/bounded_map.ts";
import { SQL } from "./asked_at_start.ts";
import { ratesOf } from "./model_prices.ts";
import type { Sqlite } from "./sqlite.ts";
import type { Row } from "./tables.ts";

/** An inference key as a call needs it. */
export interface KeyRecord {
  readonly id: string;
  readonly organizationId: string;
  /** What people tell it by: `fdb-inf-` and four characters. */
  readonly prefix: string;
  readonly active: boolean;
  readonly monthlyTokenLimit: number;
  readonly rateLimitRpm: number;
}

/** An organization's provider config as a call needs it; the key is still sealed. */
export interface ProviderConfigRecord {
  readonly id: string;
  readonly provider: ProviderId;
  readonly baseUrl: string | null;
  readonly euEndpoint: boolean;
  readonly enabled: boolean;
  readonly sealedKey: string;
  readonly organizationId: string;
  readonly createdAtMs: number;
}

/** What an organization says that a model costs: its rates, or the model in the catalogue that it is priced as. */
export type ModelPriceRecord =
  { readonly id: string; readonly rates: Rates } | { readonly aliasOf: ModelName };

/** An organization's own prices by `provider/model`. */
export type ModelPrices = ReadonlyMap<string, ModelPriceRecord>;

/** What an organization allows its calls. */
export interface OrganizationRecord {
  readonly id: string;
  /** Null until the organization has settings: nothing goes through before. */
  readonly settings: { readonly euOnly: boolean } | null;
  readonly providers: ReadonlyMap<ProviderId, ProviderConfigRecord>;
  readonly prices: ModelPrices;
}

/** Bounds the keys and organizations kept in memory; others are read again when they call. */
const MAX_RECORDS = 200_000;

/** Keys and organizations as calls see them: rows, read once and kept until somebody changes them. */
export class Directory {
  readonly #byHash = new BoundedMap<string, KeyRecord>(MAX_RECORDS);
  readonly #hashes = new BoundedMap<string, string>(MAX_RECORDS);
  readonly #organizations = new BoundedMap<string, OrganizationRecord>(MAX_RECORDS);
  readonly #find;
  readonly #findSettings;
  readonly #findProviders;
  readonly #findPrices;
  readonly #findSlug;

  constructor({ connection }: Pick<Sqlite, "connection">) {
    this.#find = connection.prepare<Row<"inference_keys">, [string]>(SQL.keyByHash);
    this.#findSettings = connection.prepare<Pick<Row<"org_settings">, "eu_only">, [string]>(
      SQL.settings,
    );
    this.#findProviders = connection.prepare<Row<"provider_configs">, [string]>(SQL.providers);
    this.#findPrices = connection.prepare<Row<"model_prices">, [string]>(SQL.prices);
    this.#findSlug = connection.prepare<Pick<Row<"organizations">, "slug">, [string]>(SQL.slug);
  }

  /** Returns the key with this SHA-256 (hex), revoked and suspended ones included; null if there is none. */
  key(hash: string): KeyRecord | null {
    const known = this.#byHash.get(hash);
    if (known !== undefined) return known;
    const row = this.#find.get(hash);
    if (row === null) return null;
    const record: KeyRecord = {
      id: row.id,
      organizationId: row.organization_id,
      prefix: row.key_prefix,
      active: row.status === "active",
      monthlyTokenLimit: row.monthly_token_limit,
      rateLimitRpm: row.rate_limit_rpm,
    };
    this.#byHash.set(hash, record);
    this.#hashes.set(row.id, hash);
    return record;
  }

  /** Whether a key is in memory: then `key` reads nothing. */
  knowsKey(hash: string): boolean {
    return this.#byHash.get(hash) !== undefined;
  }

  /** Returns an organization's settings, provider configs and prices. */
  organization(id: string): OrganizationRecord {
    const known = this.#organizations.get(id);
    if (known !== undefined) return known;
    const settings = this.#findSettings.get(id);
    const record: OrganizationRecord = {
      id,
      settings: settings === null ? null : { euOnly: settings.eu_only === 1 },
      providers: new Map(
        this.#findProviders.all(id).map((row) => [row.provider, providerRecord(row)]),
      ),
      prices: new Map(this.#findPrices.all(id).map((row) => [formatModelName(row), price(row)])),
    };
    this.#organizations.set(id, record);
    return record;
  }

  /** Returns an organization's slug, which is read anew each time; its id if it has no row. */
  slug(organizationId: string): string {
    return this.#findSlug.get(organizationId)?.slug ?? organizationId;
  }

  /** Drops what is known of a key, by its id. */
  forgetKey(keyId: string): void {
    const hash = this.#hashes.get(keyId);
    if (hash === undefined) return;
    this.#hashes.delete(keyId);
    this.#byHash.delete(hash);
  }

  /** Drops what is known of an organization's settings, provider configs and prices. */
  forgetOrganization(organizationId: string): void {
    this.#organizations.delete(organizationId);
  }
}

function providerRecord(row: Row<"provider_configs">): ProviderConfigRecord {
  return {
    id: row.id,
    provider: row.provider,
    baseUrl: row.base_url,
    euEndpoint: row.eu_endpoint === 1,
    enabled: row.enabled === 1,
    sealedKey: row.sealed_key,
    organizationId: row.organization_id,
    createdAtMs: row.created_at_ms,
  };
}

function price(row: Row<"model_prices">): ModelPriceRecord {
  const aliasOf = row.alias_of === null ? null : parseModelName(row.alias_of);
  if (aliasOf !== null) return { aliasOf };
  return { id: `override/${formatModelName(row)}@${row.updated_at_ms}`, rates: ratesOf(row) };
}
