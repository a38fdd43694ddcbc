import OpenAI, { APIError, type ClientOptions } from "openai";
import type { ProviderId } from "../../src/domain/provider.ts";
import { type StandIn, startStandIn } from "../../src/stand_in/stand_in.ts";
import { type BinaryOptions, openFolder, type RunningBinary, startBinary } from "./binary.ts";

/** The password of the first owner. */
export const ADMIN_PASSWORD = "correct-horse-battery";

/** What a test proxy presents to the stand-in, and nobody else may ever see. */
export const PROVIDER_KEY = "sk-canary-7f3a9c51e0b84d26a6d1";

/** The answer of the management plane. */
export interface Managed {
  readonly status: number;
  // Tests reach into it freely: a wrong path fails them.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

export interface UsageRow {
  readonly group_key: string;
  readonly provider: string;
  readonly calls: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly total_tokens: number;
  readonly cost_microcents: number;
}

export interface KeyLimits {
  readonly monthly_token_limit?: number;
  readonly rate_limit_rpm?: number;
}

/** The compiled binary in front of a stand-in provider, both of this test alone. */
export interface TestProxy extends AsyncDisposable {
  readonly standIn: StandIn;
  readonly dataDir: string;
  /** The process that serves now. */
  readonly binary: RunningBinary;
  /** Where an OpenAI client finds it. */
  readonly baseUrl: string;
  /** Calls the management plane as the first owner, below the organization's path. */
  manage(method: string, path: string, body?: unknown): Promise<Managed>;
  /** Sets a cost limit and configures every provider to be the stand-in. */
  configure(): Promise<void>;
  createKey(limits?: KeyLimits): Promise<{ readonly id: string; readonly secret: string }>;
  usage(groupBy?: "model" | "key"): Promise<UsageRow[]>;
  /** Ends the process by the signal and starts another on the same data directory. */
  restart(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Starts another process on the same data directory, after the last one has ended. */
  startAgain(): Promise<void>;
  /** Kills the process if it still runs, and deletes its data directory. */
  close(): Promise<void>;
}

/** Starts the binary on an empty data directory, with a stand-in that it may call. */
export async function openProxy(
  flags: readonly string[] = [],
  options: BinaryOptions = {},
): Promise<TestProxy> {
  const standIn = startStandIn();
  const folder = openFolder();
  const argv = ["--data-dir", folder.path, "--allow-upstream", standIn.address, ...flags];
  const environment = {
    INFERENCE_PROXY_ADMIN_PASSWORD: ADMIN_PASSWORD,
    ...options.environment,
  };
  const start = () => startBinary(argv, { ...options, environment });
  let binary = await start();
  const organizationId = await firstOrganization(binary.url);
  const manage: TestProxy["manage"] = (method, path, body) =>
    ask(`${binary.url}/organizations/${organizationId}/inference${path}`, method, body);
  const must = async (method: string, path: string, body?: unknown) => {
    const answer = await manage(method, path, body);
    if (answer.status < 300) return answer.body;
    throw new Error(`Cannot ${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  };
  const close = async () => {
    await binary.kill();
    await standIn.stop();
    folder[Symbol.dispose]();
  };
  return {
    standIn,
    dataDir: folder.path,
    get binary() {
      return binary;
    },
    get baseUrl() {
      return `${binary.url}/inference/v1`;
    },
    manage,
    configure: async () => {
      await must("PUT", "/settings", { monthly_cost_limit_cents: 1_000_000 });
      for (const provider of PROVIDERS)
        await must("PUT", "/providers", configOf(provider, standIn));
    },
    createKey: async (limits = {}) => {
      const generous = { monthly_token_limit: 1_000_000_000_000, rate_limit_rpm: 100_000 };
      const { key, secret } = await must("POST", "/keys", { name: "app", ...generous, ...limits });
      return { id: key.id, secret };
    },
    usage: async (groupBy = "model") => (await must("GET", `/usage?group_by=${groupBy}`)).rows,
    restart: async (signal) => {
      await (signal === "SIGTERM" ? binary.stop() : binary.kill());
      binary = await start();
    },
    startAgain: async () => {
      await binary.ended;
      binary = await start();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Every provider that a test proxy is configured for. */
export const PROVIDERS = ["openai", "anthropic", "mistral", "groq", "azure_openai"] as const;

/** Returns the body that points a provider to the stand-in. */
export function configOf(provider: ProviderId, standIn: StandIn) {
  const speaker = provider === "azure_openai" ? "azure" : provider;
  return { provider, api_key: PROVIDER_KEY, base_url: standIn.baseUrls[speaker] };
}

/** Calls the management plane as the first owner. */
export async function ask(url: string, method: string, body?: unknown): Promise<Managed> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Basic ${btoa(`admin:${ADMIN_PASSWORD}`)}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? null : JSON.parse(text) };
}

async function firstOrganization(url: string): Promise<string> {
  const { body } = await ask(`${url}/organizations`, "GET");
  return body.organizations[0].id;
}

/** OpenAI's own client, and each answer that it got, those included that it tried again after. */
export interface CountingClient {
  readonly client: OpenAI;
  readonly attempts: readonly Response[];
}

/** Opens OpenAI's own client as a program would: with another base URL and another key. */
export function openAiClient(
  { baseUrl }: Pick<TestProxy, "baseUrl">,
  apiKey: string,
  options: ClientOptions = {},
): CountingClient {
  const attempts: Response[] = [];
  const client = new OpenAI({
    baseURL: baseUrl,
    apiKey,
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      attempts.push(response);
      return response;
    },
    ...options,
  });
  return { client, attempts };
}

/**
 * Returns the error that the client raises of an answer.
 *
 * A client's promise is no plain one: `expect(...).rejects` does not see it reject.
 *
 * @throws If there is no error, or one of another kind, such as a lost connection.
 */
export async function apiError(call: PromiseLike<unknown>): Promise<APIError> {
  const error = await Promise.resolve(call).then(
    () => null,
    (caught: unknown) => caught,
  );
  if (error instanceof APIError) return error;
  throw new Error(`Expected an APIError, not ${String(error)}`);
}
