/** What is known of a provider's routes. */
export interface ProviderRoutes {
  /** Where calls go by default; null if each organization has its own. */
  readonly baseUrl: string | null;
  /** The default route that stays in the EU, if there is one. */
  readonly euBaseUrl?: string;
  readonly euByDefault: boolean;
}

/** What an organization chose in its provider config. */
export interface RouteChoice {
  /** Its own base URL; null for the default. */
  readonly baseUrl: string | null;
  /** The operator's attestation that the own base URL, or the provider's resource, stays in the EU. */
  readonly euEndpoint: boolean;
}

export interface Residency {
  readonly euResident: boolean;
  /** Null only if the provider has no default and the organization no own. */
  readonly baseUrl: string | null;
}

/**
 * Decides which base URL calls go to and whether that route counts as EU-resident. A host name proves
 * nothing, so none is looked at: an own base URL counts by attestation, a default route by what is known of
 * the provider. An attestation says nothing about a default route.
 */
export function residency(
  provider: ProviderRoutes,
  choice: RouteChoice,
  euOnly: boolean,
): Residency {
  if (choice.baseUrl !== null) return { euResident: choice.euEndpoint, baseUrl: choice.baseUrl };
  const wantsEu = euOnly || choice.euEndpoint;
  const baseUrl = wantsEu ? (provider.euBaseUrl ?? provider.baseUrl) : provider.baseUrl;
  return { euResident: provider.euByDefault && baseUrl !== null, baseUrl };
}
