import type { ProviderId } from "./provider.ts";

/** What came of asking a provider for its models. */
export interface ProviderTrial {
  /** Whether it answered with a list: it can be reached, and takes the provider key. */
  readonly ok: boolean;
  /** The host that was asked, with its port if that is not the usual one. */
  readonly host: string;
  /** Where the host is; null if that was not found out, or calls must not go there. */
  readonly address: string | null;
  /** Null if there was no answer over HTTP. */
  readonly status: number | null;
  readonly durationMs: number;
  /** How many models the key may use; null if that is not known. */
  readonly models: number | null;
  /** Whether calls that go there count as EU-resident. */
  readonly euResident: boolean;
  /** For people. It never holds the provider key. */
  readonly message: string;
}

/** Why nobody was asked. */
export type NoTrial = "not_configured" | "under_way";

/** Tries an organization's provider config, whether it is enabled or not. It never rejects for what a provider does. */
export type TryProvider = (
  organizationId: string,
  provider: ProviderId,
) => Promise<ProviderTrial | NoTrial>;
