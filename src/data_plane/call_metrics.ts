import { type ErrorCode, ERRORS } from "../domain/errors.ts";
import type { Operation } from "../domain/provider.ts";
import type { Counter, Family, Histogram, Metrics } from "../std/metrics.ts";
import type { Hold } from "../store/ledger.ts";
import type { CallCode } from "./call_code.ts";
import type { Observation, Used } from "./observation.ts";
import type { Target } from "./route.ts";

/** Bounds the models that are counted by name, for their names are the clients' to invent. */
const MODELS_MAX = 200;

/** Bounds those among them that no provider had answered for: inventing names must not crowd out real ones. */
const UNANSWERED_MAX = 100;

/** The name under which all further models of a provider are counted together. */
const OTHER = "other";

/** Bounds the pairs of organization and model whose cost is told apart. */
const COSTS_MAX = 5000;

/** The codes with which the proxy refuses by itself. */
const OWN_CODES = Object.keys(ERRORS).filter(
  (code): code is ErrorCode => !code.startsWith("upstream_"),
);

/** How long a call takes, in seconds: from an embedding to a long answer. */
const DURATION_S = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600];

/** Times of the GenAI conventions, in seconds, and their token counts. */
const GEN_AI_S = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
const GEN_AI_TOKENS = [
  1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
  67_108_864,
];

/** What the proxy adds before a request is sent, in seconds. */
const OVERHEAD_S = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/** The series of one model, found by one look-up per call and kept. */
interface ModelSeries {
  readonly provider: string;
  readonly model: string;
  readonly requests: Map<CallCode, Counter>;
  readonly duration: Histogram;
  readonly inputTokens: Histogram;
  readonly outputTokens: Histogram;
  /** Null until the model streams. */
  firstChunk: Histogram | null;
  readonly costs: Map<string, Counter>;
}

/** Counts calls, from what is seen of each at its end. */
export class CallMetrics {
  readonly #families;
  readonly #organizationName: (id: string) => string;
  readonly #models: Readonly<Record<Operation, Map<string, ModelSeries>>>;
  readonly #durations: Readonly<Record<Operation, Histogram>>;
  readonly #refusals: Readonly<Record<Operation, Map<CallCode, Counter>>>;
  readonly #rejections = new Map<CallCode, Counter>();
  readonly #overhead: Histogram;
  #modelCount = 0;
  #unansweredCount = 0;

  /** @param organizationName Returns what an organization is called in a label, by its id. */
  constructor(metrics: Metrics, organizationName: (id: string) => string) {
    const families = callFamilies(metrics);
    this.#families = families;
    this.#organizationName = organizationName;
    this.#models = { chat: new Map(), embeddings: new Map() };
    this.#refusals = { chat: new Map(), embeddings: new Map() };
    this.#durations = {
      chat: families.duration.with("chat"),
      embeddings: families.duration.with("embeddings"),
    };
    this.#overhead = families.overhead.with();
    // A series that begins at 0 shows its first rise too.
    for (const code of OWN_CODES) this.#rejections.set(code, families.rejections.with(code));
  }

  /** Counts a request that was refused before it was a call, or refused as one. */
  rejected(code: CallCode): void {
    counterOf(this.#rejections, code, () => this.#families.rejections.with(code)).add();
  }

  /** Counts a call that is over. */
  ended(call: Observation): void {
    const { hold, target, code, operation } = call;
    const seconds = ((call.endedMs ?? 0) - call.startedMs) / 1000;
    this.#durations[operation].observe(seconds);
    if (hold === null || target === null) return this.#refused(operation, code);
    const series = this.#seriesOf(hold, target, code);
    counterOf(series.requests, code, () =>
      this.#families.requests.with(operation, series.provider, series.model, code),
    ).add();
    this.#timed(call, series);
    if (call.used !== null) this.#used(call.used, hold, series);
    if (call.upstreamFailure !== null)
      this.#families.upstreamErrors.with(series.provider, call.upstreamFailure).add();
  }

  #refused(operation: Operation, code: CallCode): void {
    const counters = this.#refusals[operation];
    counterOf(counters, code, () => this.#families.requests.with(operation, "", "", code)).add();
    if (code !== "200" && code !== "client_closed") this.rejected(code);
  }

  #timed(call: Observation, series: ModelSeries): void {
    const { readMs, sentMs, firstChunkMs, endedMs } = call;
    if (sentMs === null || endedMs === null) return;
    if (readMs !== null) this.#overhead.observe((sentMs - readMs) / 1000);
    series.duration.observe((endedMs - sentMs) / 1000);
    if (firstChunkMs === null) return;
    series.firstChunk ??= this.#families.genAiFirstChunk.with(...genAiLabels(call, series));
    series.firstChunk.observe((firstChunkMs - sentMs) / 1000);
  }

  #used({ usage, costMicrocents }: Used, hold: Hold, series: ModelSeries): void {
    series.inputTokens.observe(usage.inputTokens);
    series.outputTokens.observe(usage.outputTokens);
    const { organizationId } = hold;
    counterOf(series.costs, organizationId, () => {
      const organization = this.#organizationName(organizationId);
      return this.#families.cost.with(organization, series.provider, series.model);
    }).add(costMicrocents);
  }

  #seriesOf(hold: Hold, target: Target, code: CallCode): ModelSeries {
    const models = this.#models[hold.operation];
    return models.get(hold.requestedModel) ?? this.#newSeries(hold, target, code === "200");
  }

  #newSeries({ operation, requestedModel }: Hold, target: Target, answered: boolean): ModelSeries {
    const models = this.#models[operation];
    const unansweredFull = !answered && this.#unansweredCount >= UNANSWERED_MAX;
    const full = unansweredFull || this.#modelCount >= MODELS_MAX;
    const model = full ? OTHER : target.upstreamModel;
    // No client's name begins with a slash, so what is counted together has a place of its own.
    const name = full ? `/${target.provider.id}` : requestedModel;
    const known = models.get(name);
    if (known !== undefined) return known;
    if (!full) this.#modelCount += 1;
    if (!full && !answered) this.#unansweredCount += 1;
    const series = this.#createSeries(operation, target, model);
    models.set(name, series);
    return series;
  }

  #createSeries(operation: Operation, { provider }: Target, model: string): ModelSeries {
    const { genAiDuration, genAiTokens } = this.#families;
    const labels = [operation, provider.genAiName, model] as const;
    return {
      provider: provider.id,
      model,
      requests: new Map(),
      duration: genAiDuration.with(...labels),
      inputTokens: genAiTokens.with(...labels, "input"),
      outputTokens: genAiTokens.with(...labels, "output"),
      firstChunk: null,
      costs: new Map(),
    };
  }
}

function genAiLabels({ operation, target }: Observation, { model }: ModelSeries) {
  return [operation, target?.provider.genAiName ?? "", model] as const;
}

function counterOf<Key>(counters: Map<Key, Counter>, key: Key, create: () => Counter): Counter {
  const known = counters.get(key);
  if (known !== undefined) return known;
  const created = create();
  counters.set(key, created);
  return created;
}

const GEN_AI_LABELS = ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model"];

function callFamilies(metrics: Metrics) {
  const requests = metrics.counter({
    name: "inference_proxy_requests_total",
    help: "Calls that are over, by what their client was told: 200, client_closed or the code of an error",
    labels: ["operation", "provider", "model", "code"],
    seriesMax: 5000,
  });
  const duration = metrics.histogram(
    {
      name: "inference_proxy_request_duration_seconds",
      help: "Time from the head of a request to the end of its answer",
      labels: ["operation"],
    },
    DURATION_S,
  );
  const overhead = metrics.histogram(
    {
      name: "inference_proxy_overhead_seconds",
      help: "Time from the end of a request's body until it is sent to the provider",
    },
    OVERHEAD_S,
  );
  return { requests, duration, overhead, ...failureFamilies(metrics), ...genAiFamilies(metrics) };
}

function failureFamilies(metrics: Metrics) {
  const rejections = metrics.counter({
    name: "inference_proxy_rejections_total",
    help: "Requests that the proxy refused by itself, by code",
    labels: ["code"],
  });
  const upstreamErrors = metrics.counter({
    name: "inference_proxy_upstream_errors_total",
    help: "Calls that failed at the provider, by its status, or unreachable, timeout, interrupted, fault",
    labels: ["provider", "status"],
    seriesMax: 500,
  });
  const cost = metrics.counter({
    name: "inference_proxy_cost_microcents_total",
    help: "Cost of settled calls in microcents (1e-8 US dollars) since the process began",
    labels: ["org", "provider", "model"],
    seriesMax: COSTS_MAX,
  });
  return { rejections, upstreamErrors, cost };
}

function genAiFamilies(metrics: Metrics): Record<GenAiFamily, Family<Histogram>> {
  const genAiDuration = metrics.histogram(
    {
      name: "gen_ai_client_operation_duration_seconds",
      help: "Time from sending a call to the provider to the end of its answer",
      labels: GEN_AI_LABELS,
    },
    GEN_AI_S,
  );
  const genAiFirstChunk = metrics.histogram(
    {
      name: "gen_ai_client_operation_time_to_first_chunk_seconds",
      help: "Time from sending a streamed call to the provider to the first event of its answer",
      labels: GEN_AI_LABELS,
    },
    GEN_AI_S,
  );
  const genAiTokens = metrics.histogram(
    {
      name: "gen_ai_client_token_usage",
      help: "Tokens of a settled call: input with what was cached, output with reasoning",
      labels: [...GEN_AI_LABELS, "gen_ai_token_type"],
    },
    GEN_AI_TOKENS,
  );
  return { genAiDuration, genAiFirstChunk, genAiTokens };
}

type GenAiFamily = "genAiDuration" | "genAiFirstChunk" | "genAiTokens";
