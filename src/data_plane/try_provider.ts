import type { ProviderTrial, TryProvider } from "../domain/provider_trial.ts";
import { residency } from "../domain/residency.ts";
import { PROVIDERS } from "../providers/registry.ts";
import { parseJsonObject } from "../std/json.ts";
import type { ProviderConfigRecord } from "../store/directory.ts";
import type { Connection } from "./connections.ts";
import type { Deps } from "./deps.ts";
import { ask } from "./forward.ts";
import { noAnswerMessage, refusalMessage } from "./trial_message.ts";
import { readBounded, readRefusal } from "./upstream_refusal.ts";

/** How long a provider may take, all in all, in milliseconds. */
const TRIAL_MS_MAX = 10_000;

/** Bounds what is read of a list of models, in bytes: the longest ones have some hundred thousand. */
const LIST_BYTES_MAX = 4 * 1024 * 1024;

type TrialDeps = Pick<Deps, "clock" | "connections" | "directory" | "hosts" | "pulse">;

/** Creates what tries provider configs, each of them once at a time. */
export function createTryProvider(deps: TrialDeps): TryProvider {
  const underWay = new Set<string>();
  return async (organizationId, provider) => {
    const { providers, settings } = deps.directory.organization(organizationId);
    const config = providers.get(provider);
    if (config === undefined) return "not_configured";
    const name = `${organizationId}/${provider}`;
    if (underWay.has(name)) return "under_way";
    underWay.add(name);
    try {
      return await tryConfig(config, settings?.euOnly ?? false, deps);
    } finally {
      underWay.delete(name);
    }
  };
}

type Outcome = Pick<ProviderTrial, "ok" | "address" | "status" | "models" | "message">;

async function tryConfig(
  config: ProviderConfigRecord,
  euOnly: boolean,
  deps: TrialDeps,
): Promise<ProviderTrial> {
  const { clock, hosts } = deps;
  const sinceMs = clock.monotonicMs();
  const provider = PROVIDERS[config.provider];
  const { baseUrl, euResident } = residency(provider, config, euOnly);
  const place = baseUrl ?? "";
  const outcome = await tryPlace(config, place, deps);
  const host = place === "" ? "" : hosts.of(place).name;
  const durationMs = Math.round(clock.monotonicMs() - sinceMs);
  return { ...outcome, host, durationMs, euResident };
}

async function tryPlace(
  config: ProviderConfigRecord,
  baseUrl: string,
  deps: TrialDeps,
): Promise<Outcome> {
  const provider = PROVIDERS[config.provider];
  let connection: Connection;
  try {
    connection = await deps.connections.open(provider, config);
  } catch {
    // What it is about stands in the log: an organization is not told what the operator decided.
    return { ...NOTHING, message: UNUSABLE };
  }
  const url = provider.modelsUrl(baseUrl);
  const host = deps.hosts.of(baseUrl);
  let address: string | null = null;
  const onOrigin = (origin: string) => {
    address = new URL(origin).hostname.replace(/^\[|\]$/g, "");
  };
  const limit = beginLimit(deps);
  try {
    const answer = await ask({ url, host, connection, onOrigin }, limit.signal);
    return { address, ...(await judge(answer, connection, limit.signal)) };
  } catch (error) {
    const message = limit.signal.aborted ? TOO_LATE : noAnswerMessage(error, host);
    return { ...NOTHING, address, message };
  } finally {
    limit.end();
  }
}

const NOTHING = { ok: false, address: null, status: null, models: null };

const UNUSABLE =
  "Cannot use provider config: its provider key cannot be opened or its base URL is not allowed any more, so it must be entered again";

const TOO_LATE = `Cannot reach provider: it did not answer within ${TRIAL_MS_MAX / 1000} s`;

/** Ends a trial when its time is over. */
function beginLimit({ clock, pulse }: Pick<Deps, "clock" | "pulse">) {
  const controller = new AbortController();
  const endsMs = clock.monotonicMs() + TRIAL_MS_MAX;
  const beat = (nowMs: number) => {
    if (nowMs >= endsMs) controller.abort();
  };
  pulse.add(beat);
  return { signal: controller.signal, end: () => pulse.remove(beat) };
}

async function judge(
  answer: Response,
  { redactor }: Connection,
  signal: AbortSignal,
): Promise<Omit<Outcome, "address">> {
  const { status } = answer;
  if (status !== 200) {
    const refusal = await readRefusal(answer);
    return { ok: false, status, models: null, message: refusalMessage(refusal, redactor) };
  }
  const { text, isWhole } = await readBounded(answer, LIST_BYTES_MAX);
  if (signal.aborted) return { ok: false, status, models: null, message: TOO_LATE };
  if (!isWhole) return { ok: true, status, models: null, message: "It takes the key" };
  const models = parseJsonObject(text)?.data;
  if (!Array.isArray(models)) return { ok: false, status, models: null, message: NO_LIST };
  const count = models.length;
  const message = `It takes the key and lists ${count} model${count === 1 ? "" : "s"}`;
  return { ok: true, status, models: count, message };
}

const NO_LIST =
  "Cannot use provider: it answers, but with no list of models, so the base URL may be wrong";
