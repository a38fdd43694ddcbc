import { describe, expect, test } from "bun:test";
import { residency, type ProviderRoutes } from "../../src/domain/residency.ts";

const WORLD = "https://api.example.com";
const EU = "https://eu.example.com";
const OWN = "https://gateway.example.org/v1";

const abroad: ProviderRoutes = { baseUrl: WORLD, euByDefault: false };
const resident: ProviderRoutes = { baseUrl: WORLD, euBaseUrl: EU, euByDefault: true };
const residentOneHost: ProviderRoutes = { baseUrl: WORLD, euByDefault: true };
const perOrganization: ProviderRoutes = { baseUrl: null, euByDefault: false };

interface Case {
  readonly name: string;
  readonly provider: ProviderRoutes;
  readonly own?: string;
  readonly euEndpoint?: true;
  readonly euOnly?: true;
  readonly is: readonly [euResident: boolean, baseUrl: string | null];
}

const CASES: Case[] = [
  { name: "a default route abroad is not resident", provider: abroad, is: [false, WORLD] },
  {
    name: "nor is it for an organization that wants the EU only",
    provider: abroad,
    euOnly: true,
    is: [false, WORLD],
  },
  { name: "nor can it be attested", provider: abroad, euEndpoint: true, is: [false, WORLD] },
  {
    name: "an own base URL is not resident by itself",
    provider: abroad,
    own: OWN,
    is: [false, OWN],
  },
  {
    name: "an own base URL is resident by attestation",
    provider: abroad,
    own: OWN,
    euEndpoint: true,
    is: [true, OWN],
  },
  {
    name: "a host that says EU proves nothing",
    provider: abroad,
    own: "https://eu.api.example.com",
    is: [false, "https://eu.api.example.com"],
  },
  { name: "a resident default route is resident as it is", provider: resident, is: [true, WORLD] },
  { name: "its EU host is used for EU only", provider: resident, euOnly: true, is: [true, EU] },
  { name: "its EU host is used by choice", provider: resident, euEndpoint: true, is: [true, EU] },
  {
    name: "its EU host is used for both",
    provider: resident,
    euEndpoint: true,
    euOnly: true,
    is: [true, EU],
  },
  {
    name: "an own base URL of a resident provider is not resident",
    provider: resident,
    own: OWN,
    euOnly: true,
    is: [false, OWN],
  },
  { name: "not even if it is the default one", provider: resident, own: WORLD, is: [false, WORLD] },
  { name: "not even if it is the EU one", provider: resident, own: EU, is: [false, EU] },
  {
    name: "it is by attestation",
    provider: resident,
    own: OWN,
    euEndpoint: true,
    euOnly: true,
    is: [true, OWN],
  },
  {
    name: "a resident provider without an EU host keeps its one",
    provider: residentOneHost,
    euOnly: true,
    is: [true, WORLD],
  },
  {
    name: "a resource is not resident without attestation",
    provider: perOrganization,
    own: OWN,
    euOnly: true,
    is: [false, OWN],
  },
  {
    name: "a resource is resident by attestation",
    provider: perOrganization,
    own: OWN,
    euEndpoint: true,
    is: [true, OWN],
  },
  {
    name: "without any base URL there is no route",
    provider: perOrganization,
    euEndpoint: true,
    is: [false, null],
  },
];

describe("residency()", () => {
  test.each(CASES)("$name", ({ provider, own, euEndpoint = false, euOnly = false, is }) => {
    const decided = residency(provider, { baseUrl: own ?? null, euEndpoint }, euOnly);
    expect(decided).toEqual({ euResident: is[0], baseUrl: is[1] });
  });
});
