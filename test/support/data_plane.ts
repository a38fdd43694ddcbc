import { Database } from "bun:sqlite";
import { afterAll } from "bun:test";
import { join } from "node:path";
import type { ProviderId } from "../../src/domain/provider.ts";
import type { HostLookup } from "../../src/std/host_lookup.ts";
import { SseParser } from "../../src/std/sse.ts";
import { type StandIn, startStandIn } from "../../src/stand_in/stand_in.ts";
import type { Row } from "../../src/store/tables.ts";
import { openTestApp, type TestApp } from "./app.ts";
import { type ManualClock, manualClock } from "./clock.ts";
import { fitting } from "./described.ts";

/** What tests read of JSON that came over the wire: they reach into it freely, a wrong path fails them. */
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyJson = any;

/** The provider key of every provider config, unlike any other text. */
export const PROVIDER_KEY = "sk-canary-Q7w8E9r0T1y2U3i4O5p6-tail8901";

/** Half past an hour: usage is reported by hours that have begun. */
const START_MS = Date.UTC(2026, 5, 15, 12, 30);

/** A chat request that every provider takes. */
export const CHAT = { model: "openai/gpt-4o-mini", messages: [{ role: "user", content: "hi" }] };

/** An inference key as its owner holds it. */
export interface TestKey {
  readonly id: string;
  readonly secret: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body parsed; null if it is no JSON. */
  readonly json: AnyJson;
}

export interface ProxyOptions {
  readonly flags?: readonly string[];
  readonly clock?: ManualClock;
  /** Null leaves the organization without settings. */
  readonly costLimitCents?: number | null;
  readonly providers?: readonly ProviderId[];
  /** Where providers are instead of at the stand-in, as `http://host:port`. */
  readonly upstream?: string;
  /** Stands in for the name servers. */
  readonly lookup?: HostLookup;
}

interface Parts {
  readonly open: TestApp;
  readonly standIn: StandIn;
  readonly clock: ManualClock;
  readonly upstream: string;
  readonly flags: readonly string[];
}

/** How one call differs from a chat call with the first key. */
export interface CallOptions {
  readonly key?: TestKey;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** The whole app on loopback, an organization that may call, and a stand-in for its providers. */
export class DataPlane {
  readonly standIn: StandIn;
  readonly clock: ManualClock;
  readonly #upstream: string;
  readonly #flags: readonly string[];
  #open: TestApp;
  #organizationId = "";
  #key: TestKey = { id: "", secret: "" };

  private constructor(parts: Parts) {
    this.#open = parts.open;
    this.standIn = parts.standIn;
    this.clock = parts.clock;
    this.#upstream = parts.upstream;
    this.#flags = parts.flags;
  }

  static async open(options: ProxyOptions = {}): Promise<DataPlane> {
    const clock = options.clock ?? manualClock(START_MS);
    const standIn = startStandIn();
    const upstream = options.upstream ?? standIn.url;
    const flags = ["--allow-upstream", new URL(upstream).host, ...(options.flags ?? [])];
    const lookup = options.lookup === undefined ? {} : { lookup: options.lookup };
    const open = await openTestApp({ clock, flags, ...lookup });
    const proxy = new DataPlane({ open, standIn, clock, upstream, flags });
    const listed: { body: AnyJson } = await proxy.#open.manage("GET", "/organizations");
    proxy.#organizationId = listed.body.organizations[0].id;
    for (const provider of options.providers ?? ["openai"]) await proxy.configure(provider);
    const limit = options.costLimitCents === undefined ? 100_000_000 : options.costLimitCents;
    if (limit !== null) await proxy.settings({ monthly_cost_limit_cents: limit });
    proxy.#key = await proxy.createKey();
    return proxy;
  }

  get app() {
    return this.#open.app;
  }

  get url(): string {
    return this.#open.url;
  }

  get dataDir(): string {
    return this.#open.dataDir;
  }

  /** The first key: no limit that a test would meet by accident. */
  get key(): TestKey {
    return this.#key;
  }

  get organizationId(): string {
    return this.#organizationId;
  }

  /** Everything logged since the last start. */
  get logged(): string {
    this.app.tell();
    return this.#open.logged.join("");
  }

  /** Calls the management plane below `/organizations/{orgId}/inference` and returns status and body. */
  async manage(method: string, path: string, body?: unknown): Promise<Answer["json"]> {
    const below = `/organizations/${this.#organizationId}/inference${path}`;
    return this.#open.manage(method, below, body);
  }

  async configure(provider: ProviderId, changes: object = {}): Promise<AnyJson> {
    const path = new URL(this.standIn.baseUrls[speakerOf(provider)]).pathname.replace(/\/$/, "");
    const base_url = this.#upstream + path;
    const config = { provider, api_key: PROVIDER_KEY, base_url, ...changes };
    return this.manage("PUT", "/providers", config);
  }

  async settings(changes: object): Promise<AnyJson> {
    return this.manage("PUT", "/settings", changes);
  }

  /** Creates an inference key that, but for what is given, is limited by nothing that matters. */
  async createKey(limits: object = {}): Promise<TestKey> {
    const body = { name: "test", monthly_token_limit: 1e12, rate_limit_rpm: 100_000, ...limits };
    const created = (await this.manage("POST", "/keys", body)).body;
    return { id: created.key.id, secret: created.secret };
  }

  /** Sends a call and returns as soon as its headers are there. The body may be text or bytes already. */
  send(body: unknown = CHAT, options: CallOptions = {}): Promise<Response> {
    const { key = this.#key, path = "/chat/completions", method = "POST" } = options;
    const { headers = {}, signal } = options;
    const given = typeof body === "string" || body instanceof Uint8Array;
    const sent = given ? (body as string | Uint8Array<ArrayBuffer>) : JSON.stringify(body);
    return fetch(`${this.url}/inference/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key.secret}`, ...headers },
      ...(method === "POST" ? { body: sent } : {}),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Sends a call and reads its whole answer. */
  async call(body: unknown = CHAT, options: CallOptions = {}): Promise<Answer> {
    const answer = await readAnswer(await this.send(body, options));
    const { method = "POST", path = "/chat/completions" } = options;
    // Whatever a test is about, no error may differ from what /openapi.json says.
    if (answer.status >= 400) fitting({ ...answer, method, path: `/inference/v1${path}` });
    return answer;
  }

  /** Returns the rows of the usage report: of this month, by model, unless the query says otherwise. */
  async usage(query = ""): Promise<AnyJson[]> {
    // A report ends just before now, and the clock stands still.
    this.clock.advance(1);
    return (await this.manage("GET", `/usage${query}`)).body.rows;
  }

  /** Returns the ledger's rows, oldest first, once everything settled is written. */
  async calls(key?: TestKey): Promise<Row<"calls">[]> {
    await this.manage("GET", "/usage");
    return this.rows<Row<"calls">>("select * from calls order by rowid").filter(
      (row) => key === undefined || row.key_id === key.id,
    );
  }

  /** Reads from the database file, past the app. */
  rows<R>(query: string): R[] {
    return readRows<R>(this.dataDir, query);
  }

  /** Resolves when no call is in flight any more. */
  async idle(): Promise<void> {
    await until(() => this.app.callsInFlight === 0);
    this.app.tell();
  }

  /** Turns the clock forward and lets the app look at it, as it does once a second. */
  pass(ms: number): void {
    this.clock.advance(ms);
    this.app.beat();
  }

  /** Closes the app and opens it again on the same data, perhaps as another operator would. */
  async restart({ flags = this.#flags }: { flags?: readonly string[] } = {}): Promise<void> {
    await this.app.close();
    this.#open = await openTestApp({ clock: this.clock, dataDir: this.dataDir, flags });
  }

  async close(): Promise<void> {
    await this.#open.close();
    await this.standIn.stop();
  }
}

/** Opens a proxy that is closed after the tests of the file. */
export async function proxyForTests(options: ProxyOptions = {}): Promise<DataPlane> {
  const proxy = await DataPlane.open(options);
  afterAll(() => proxy.close());
  return proxy;
}

/** Runs a test with a proxy of its own, and closes it whatever happens. */
export async function withProxy(
  options: ProxyOptions,
  run: (proxy: DataPlane) => Promise<void>,
): Promise<void> {
  const proxy = await DataPlane.open(options);
  try {
    await run(proxy);
  } finally {
    await proxy.close();
  }
}

/** Reads from the database of a data directory. */
export function readRows<R>(dataDir: string, query: string): R[] {
  const database = new Database(join(dataDir, "inference-proxy.db"), { readonly: true });
  try {
    return database.query<R, []>(query).all();
  } finally {
    database.close();
  }
}

/** Resolves when the condition holds. What never holds fails the test by its time limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** Reads an answer to its end. */
export async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  const { status, headers } = response;
  return { status, headers, text, json: parsed(text) };
}

/** Reads a stream event by event, as a client does that shows each at once. */
export class EventReader {
  readonly #reader;
  readonly #decoder = new TextDecoder();
  readonly #parser = new SseParser();
  readonly #events: string[] = [];
  /** Everything received so far. */
  text = "";

  constructor(response: Response) {
    if (response.body === null) throw new Error("Expected an answer with a body");
    this.#reader = response.body.getReader();
  }

  /** Returns the data of the next event; null at the end of the stream. */
  async next(): Promise<string | null> {
    while (this.#events.length === 0) if (!(await this.piece())) return null;
    return this.#events.shift() ?? null;
  }

  /** Returns the next event parsed. */
  async json(): Promise<AnyJson> {
    return parsed((await this.next()) ?? "");
  }

  /** Returns the data of all events that are left. */
  async rest(): Promise<string[]> {
    while (await this.piece());
    return this.#events.splice(0);
  }

  /** Takes one piece off the network. Returns whether there was one. */
  async piece(): Promise<boolean> {
    const { done, value } = await this.#reader.read();
    if (done) return false;
    this.text += this.#decoder.decode(value, { stream: true });
    for (const event of this.#parser.push(value)) this.#events.push(event.data);
    return true;
  }
}

/** Returns the data of each event in the text of a stream. */
export function eventsOf(text: string): string[] {
  return new SseParser().push(new TextEncoder().encode(text)).map((event) => event.data);
}

/** Writes a chunk as a provider of the OpenAI wire sends it. */
export function chunk(delta: object, rest: object = {}, finish: string | null = null): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  const envelope = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_700_000_000 };
  return `data: ${JSON.stringify({ ...envelope, model: "gpt-4o-mini", choices, ...rest })}\n\n`;
}

/** What a provider sends last: the finish chunk, usage and the end. */
export function lastChunks(promptTokens: number, completionTokens: number): string {
  const usage = usageOf(promptTokens, completionTokens);
  return `${chunk({}, {}, "stop")}${chunk({}, { choices: [], usage })}data: [DONE]\n\n`;
}

/** A whole answer as a provider of the OpenAI wire sends it. */
export function completion(promptTokens: number, completionTokens: number, content = "Hello") {
  const message = { role: "assistant", content, refusal: null };
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1_700_000_000,
    model: "gpt-4o-mini",
    choices: [{ index: 0, message, logprobs: null, finish_reason: "stop" }],
    usage: usageOf(promptTokens, completionTokens),
  };
}

function usageOf(prompt_tokens: number, completion_tokens: number) {
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}

function speakerOf(provider: ProviderId): keyof StandIn["baseUrls"] {
  return provider === "azure_openai" ? "azure" : provider;
}

function parsed(text: string): AnyJson {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
