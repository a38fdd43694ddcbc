import type { Config } from "./config.ts";
import { CallObserver } from "./data_plane/observe.ts";
import { metricsAccess } from "./metrics_access.ts";
import { StateMetrics } from "./state_metrics.ts";
import type { Clock } from "./std/clock.ts";
import type { Log } from "./std/log.ts";
import { LoopLag } from "./std/loop_lag.ts";
import { METRICS_CONTENT_TYPE } from "./std/metric_text.ts";
import { Metrics } from "./std/metrics.ts";
import { OtlpExporter } from "./std/otlp_exporter.ts";
import type { Directory } from "./store/directory.ts";
import type { Ledger } from "./store/ledger.ts";
import type { Db } from "./store/tables.ts";
import { VERSION } from "./version.ts";

export interface TelemetryOptions {
  readonly config: Pick<
    Config,
    "accessLog" | "logLevel" | "metricsToken" | "otlpEndpoint" | "otlpHeaders"
  >;
  readonly clock: Clock;
  readonly log: Log;
  readonly db: Db;
  readonly databasePath: string;
  readonly directory: Directory;
  readonly ledger: Ledger;
}

/** Everything that says how the process and its calls are doing: metrics, the log of calls, traces. */
export class Telemetry {
  /** Is told of every call. */
  readonly observer: CallObserver;
  readonly #options: TelemetryOptions;
  readonly #metrics = new Metrics();
  readonly #state: StateMetrics;
  readonly #exporter: OtlpExporter | null;
  readonly #lag: LoopLag;
  readonly #tell = () => this.observer.tell();

  constructor(options: TelemetryOptions) {
    const { config, clock, log, db, databasePath, directory, ledger } = options;
    this.#options = options;
    const metrics = this.#metrics;
    const isHeard = config.logLevel === "debug" || config.logLevel === "info";
    metrics
      .gauge({
        name: "inference_proxy_build_info",
        help: "Always 1; its label says which version runs",
        labels: ["version"],
      })
      .show([[[VERSION], 1]]);
    this.#exporter = exporterOf(config, log);
    this.observer = new CallObserver({
      metrics,
      clock,
      accessLog: config.accessLog === "on" && isHeard ? log : null,
      exporter: this.#exporter,
      organizationName: (id) => slugOf(id, directory),
    });
    this.#state = new StateMetrics(metrics, {
      db,
      clock,
      ledger,
      observer: this.observer,
      databasePath,
      droppedSpans: () => this.#exporter?.dropped ?? 0,
    });
    this.#lag = new LoopLag(clock);
    metrics.show(
      {
        name: "inference_proxy_loop_lag_seconds",
        help: "How long work waited for its turn, looked at once a second",
      },
      this.#lag.seconds,
    );
  }

  start(): void {
    this.#lag.start();
    // Before the log's own end: a process that fails must not take its last calls along.
    process.prependListener("exit", this.#tell);
  }

  /** The longest that work waited for its turn in the last minute, in milliseconds; null before it has begun. */
  get worstLagMs(): number | null {
    return this.#lag.worstMs;
  }

  /** Sends what is left to be sent. */
  async close(): Promise<void> {
    this.#lag.stop();
    process.off("exit", this.#tell);
    this.#tell();
    await this.#exporter?.close();
  }

  /** Answers a request for the metrics. @param client Where it comes from; null if that is not known. */
  async answer(request: Request, client: { readonly address: string } | null): Promise<Response> {
    const { metricsToken } = this.#options.config;
    const access = metricsAccess(request.headers, client?.address ?? "", metricsToken);
    if (access !== "granted") return refusal(access);
    try {
      this.#tell();
      await this.#state.read();
      const text = await this.#metrics.text();
      return new Response(text, { headers: { "content-type": METRICS_CONTENT_TYPE } });
    } catch (error) {
      this.#options.log.error("cannot read metrics", { error: String(error) });
      return new Response("Cannot read metrics\n", { status: 503 });
    }
  }
}

/** Returns an organization's slug, or its id while the database cannot be read: counting a call must not fail it. */
function slugOf(organizationId: string, directory: Directory): string {
  try {
    return directory.slug(organizationId);
  } catch {
    return organizationId;
  }
}

function refusal(status: 401 | 403): Response {
  const text =
    status === 401
      ? "Cannot show metrics: the token is missing or wrong\n"
      : "Cannot show metrics: without --metrics-token-file only programs of this machine may read them, " +
        "directly and by an address or localhost\n";
  const headers: Record<string, string> = status === 401 ? { "www-authenticate": "Bearer" } : {};
  return new Response(text, { status, headers });
}

function exporterOf(
  { otlpEndpoint, otlpHeaders }: TelemetryOptions["config"],
  log: Log,
): OtlpExporter | null {
  if (otlpEndpoint === null) return null;
  const headers = Object.fromEntries(
    [...otlpHeaders].map(([name, value]) => [name, value.reveal()]),
  );
  const service = { name: "inference-proxy", version: VERSION };
  return new OtlpExporter({ url: otlpEndpoint, headers, service, log });
}
