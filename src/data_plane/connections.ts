import { parseBaseUrl } from "../domain/base_url.ts";
import { ProxyError } from "../domain/errors.ts";
import type { Provider } from "../providers/provider.ts";
import type { Log } from "../std/log.ts";
import type { ProviderConfigRecord } from "../store/directory.ts";
import type { Vault } from "../store/vault.ts";
import { ProviderHeaders } from "./provider_headers.ts";
import { Redactor } from "./redact.ts";

/** A provider config made ready for calls: headers that present its key, and what must never come back. */
export interface Connection {
  readonly headers: ProviderHeaders;
  readonly redactor: Redactor;
}

/**
 * Opens provider keys, once for each version of a provider config. The keys hang on the record they were
 * opened from, so they go when it does: at once when somebody changes the config.
 */
export class Connections {
  readonly #vault: Vault;
  readonly #allowedUpstreams: ReadonlySet<string>;
  readonly #log: Log;
  readonly #opened = new WeakMap<ProviderConfigRecord, Connection>();

  constructor(vault: Vault, allowedUpstreams: ReadonlySet<string>, log: Log) {
    this.#vault = vault;
    this.#allowedUpstreams = allowedUpstreams;
    this.#log = log;
  }

  /** Returns the connection if its key is open. */
  opened(config: ProviderConfigRecord): Connection | undefined {
    return this.#opened.get(config);
  }

  /** Opens a provider key. @throws {ProxyError} `provider_not_configured` if it cannot be used any more. */
  async open(provider: Provider, config: ProviderConfigRecord): Promise<Connection> {
    try {
      // Judged again: the operator may no longer allow the host that this config names.
      if (config.baseUrl !== null) {
        parseBaseUrl(config.baseUrl, {
          hosts: provider.hosts,
          allowedUpstreams: this.#allowedUpstreams,
          allowsApiVersion: provider.allowsApiVersion ?? false,
        });
      }
      const host = config.baseUrl === null ? null : new URL(config.baseUrl).host;
      const { organizationId, id: configId } = config;
      const place = { organizationId, provider: provider.id, configId };
      const key = (await this.#vault.openProviderKey(config.sealedKey, place)).reveal();
      const connection: Connection = {
        headers: new ProviderHeaders({ ...provider.authorize(key), ...provider.headers }),
        redactor: new Redactor(key, host),
      };
      this.#opened.set(config, connection);
      return connection;
    } catch (error) {
      this.#log.error("cannot use provider config", {
        organization: config.organizationId,
        provider: provider.id,
        error: error instanceof Error ? error.message : String(error),
      });
      throw new ProxyError(
        "provider_not_configured",
        `Cannot route call: the configuration of provider "${provider.id}" must be entered again`,
      );
    }
  }
}
