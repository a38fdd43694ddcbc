import type { JsonObject } from "../../std/json.ts";
import { PROGRAM } from "../help.ts";
import { listOf, type ManagementClient, ManagementRefusal, textOf } from "../management_client.ts";
import { dollarsOfCents } from "../money.ts";
import { shown } from "../print.ts";
import { settingsOf } from "../settings.ts";
import { type Check, fail, ok, warn } from "./check.ts";

/** Bounds what is looked at: a doctor is not a report on everybody. */
const ORGANIZATIONS_MAX = 50;
const TESTS_MAX = 50;

/** How many providers are asked at the same time. */
const TESTS_AT_ONCE = 4;

/** A provider that can be tested. */
interface Testable {
  readonly provider: string;
  readonly slug: string;
  /** Of what belongs to the organization. */
  readonly path: string;
}

/** Looks at what each organization has configured, and asks its providers for their models unless that is not wanted. */
export async function checkOrganizations(
  client: ManagementClient,
  { offline }: { readonly offline: boolean },
): Promise<Check[]> {
  const all = listOf(await client.call("GET", "/organizations"), "organizations");
  const checks: Check[] = [];
  const testable: Testable[] = [];
  for (const organization of all.slice(0, ORGANIZATIONS_MAX)) {
    const path = `/organizations/${textOf(organization, "id")}/inference`;
    const slug = textOf(organization, "slug");
    const settings = await settingsOf(client, path);
    const providers = listOf(await client.call("GET", `${path}/providers`), "providers");
    checks.push(...judgeOrganization(slug, settings, providers));
    for (const { provider, enabled, eu_resident: resident } of providers)
      // Calls that are refused here reach no provider: nor does a test.
      if (enabled === true && (settings?.eu_only !== true || resident === true))
        testable.push({ provider: shown(provider), slug, path });
  }
  if (all.length > ORGANIZATIONS_MAX)
    checks.push(leftOut(all.length - ORGANIZATIONS_MAX, "organizations"));
  return [...checks, ...(await testAll(client, testable, offline))];
}

/** Judges what an organization has configured: whether its calls can get anywhere. */
export function judgeOrganization(
  slug: string,
  settings: JsonObject | null,
  providers: readonly JsonObject[],
): Check[] {
  const name = `organization ${slug}`;
  if (settings === null) {
    const fix = `${PROGRAM} settings set --org ${slug} --monthly-cost-limit DOLLARS`;
    return [warn(name, "it has no cost limit yet, and no call goes through before", fix)];
  }
  const limit = dollarsOfCents(Number(settings.monthly_cost_limit_cents));
  if (settings.circuit_open === true) {
    const fix = `${PROGRAM} settings reset-circuit --org ${slug} --monthly-cost-limit DOLLARS`;
    const since = shown(settings.circuit_opened_at);
    return [fail(name, `its cost circuit is open since ${since}, at ${limit} a month`, fix)];
  }
  const enabled = providers.filter((one) => one.enabled === true);
  if (enabled.length === 0) {
    const fix = `${PROGRAM} provider set PROVIDER --org ${slug}`;
    return [warn(name, "it has no provider that is enabled, so no call goes through", fix)];
  }
  const names = enabled.map((one) => shown(one.provider)).join(", ");
  return [
    ok(name, `${names}; at most ${limit} a month`),
    ...(settings.eu_only === true ? [judgeResidency(slug, enabled)] : []),
  ];
}

/** Says where the calls of an organization may go that allows EU-resident routes only. */
function judgeResidency(slug: string, enabled: readonly JsonObject[]): Check {
  const name = `EU only of ${slug}`;
  const named = (resident: boolean) =>
    enabled
      .filter((one) => (one.eu_resident === true) === resident)
      .map((one) => shown(one.provider));
  const [inside, outside] = [named(true), named(false)];
  const refused = outside.length === 0 ? "" : `; calls to ${outside.join(", ")} are refused`;
  if (inside.length > 0) return ok(name, `resident: ${inside.join(", ")}${refused}`);
  return warn(
    name,
    `none of its providers is EU-resident${refused}`,
    "configure one that is (mistral, or azure_openai with --eu), or attest a route: --base-url URL --eu",
  );
}

async function testAll(
  client: ManagementClient,
  testable: readonly Testable[],
  offline: boolean,
): Promise<Check[]> {
  if (testable.length === 0) return [];
  if (offline) return [ok("providers", "not asked, as --offline says")];
  const checks: Check[] = [];
  const tested = testable.slice(0, TESTS_MAX);
  for (let from = 0; from < tested.length; from += TESTS_AT_ONCE) {
    const some = tested.slice(from, from + TESTS_AT_ONCE);
    checks.push(...(await Promise.all(some.map((one) => testOne(client, one)))));
  }
  const left = testable.length - tested.length;
  return left === 0 ? checks : [...checks, leftOut(left, "providers")];
}

async function testOne(
  client: ManagementClient,
  { provider, slug, path }: Testable,
): Promise<Check> {
  const name = `${provider} of ${slug}`;
  const target = `${provider} --org ${slug}`;
  try {
    const trial = await client.call("POST", `${path}/providers/${provider}/test`);
    const address = trial.address === undefined ? "" : ` at ${shown(trial.address)}`;
    const place = `${shown(trial.host)}${address}, ${shown(trial.duration_ms)} ms`;
    const detail = `${shown(trial.message)} (${place})`;
    if (trial.ok === true) return ok(name, detail);
    const fix = isRefusedKey(trial)
      ? `enter a key that works: ${PROGRAM} provider set ${target}`
      : `try again when that is put right: ${PROGRAM} provider test ${target}`;
    return fail(name, detail, fix);
  } catch (error) {
    if (!(error instanceof ManagementRefusal)) throw error;
    return warn(name, error.message, `try again: ${PROGRAM} provider test ${target}`);
  }
}

function isRefusedKey({ status }: JsonObject): boolean {
  return status === 401 || status === 403;
}

function leftOut(count: number, what: string): Check {
  return ok(what, `${count} more were not looked at`);
}
