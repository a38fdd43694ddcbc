import { PROVIDER_IDS, type ProviderId } from "../domain/provider.ts";
import { PROVIDERS } from "../providers/registry.ts";
import type { CommandLine } from "../std/flags.ts";
import type { JsonObject } from "../std/json.ts";
import { PROGRAM } from "./help.ts";
import { curlLine } from "./streamed_call.ts";

/** What stands around a new inference key. */
export interface KeySurroundings {
  /** The data plane's base URL. */
  readonly url: string;
  readonly isRunning: boolean;
  /** Null if the organization has none. */
  readonly settings: JsonObject | null;
  readonly providers: readonly JsonObject[];
}

/** Writes a new inference key, what is left to do until it works, and a call to try it with. */
export function createdKeyText(
  inferenceKey: string,
  around: KeySurroundings,
  line: Pick<CommandLine, "flags">,
): string {
  const { url } = around;
  const steps = stepsLeft(around, line);
  const call = { url, inferenceKey, model: firstModel(around), content: "Hello" };
  return [
    "This is the only time that the key is shown. Store it now:",
    `  ${inferenceKey}`,
    ...(steps.length === 0 ? [] : ["Before its calls go through:", steps.join("\n")]),
    steps.length === 0 ? "Try it:" : "Then try it:",
    `  ${curlLine(call)}`,
  ].join("\n\n");
}

function stepsLeft(
  { settings, providers, isRunning }: KeySurroundings,
  line: Pick<CommandLine, "flags">,
): string[] {
  const place = flagAgain("--data-dir", line);
  const organization = flagAgain("--org", line) + place;
  const canCall = providers.some((one) => canReach(one, settings));
  return [
    ...(settings === null ? [`settings set --monthly-cost-limit 600${organization}`] : []),
    ...(canCall ? [] : [`provider set ${firstProvider(settings)}${organization}`]),
    ...(isRunning ? [] : [`serve${place}`]),
  ].map((step) => `  ${PROGRAM} ${step}`);
}

/** Returns a model that the key can reach, or will once its provider is configured. */
function firstModel({ settings, providers }: KeySurroundings): string {
  const reachable = providers.find((one) => canReach(one, settings))?.provider;
  const provider = PROVIDER_IDS.find((id) => id === reachable) ?? firstProvider(settings);
  return `${provider}/${PROVIDERS[provider].firstModel ?? "YOUR-DEPLOYMENT"}`;
}

/** Returns the provider that most people would begin with. */
function firstProvider(settings: JsonObject | null): ProviderId {
  const [first] = PROVIDER_IDS;
  if (settings?.eu_only !== true) return first;
  return PROVIDER_IDS.find((id) => PROVIDERS[id].euByDefault) ?? first;
}

function canReach({ enabled, eu_resident }: JsonObject, settings: JsonObject | null): boolean {
  return enabled === true && (settings?.eu_only !== true || eu_resident === true);
}

/** Which proxy or organization this was about, for the next command. */
function flagAgain(name: string, { flags }: Pick<CommandLine, "flags">): string {
  const value = flags.get(name)?.at(-1);
  return value === undefined ? "" : ` ${name} ${value}`;
}
