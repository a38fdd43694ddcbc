import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listOf, ManagementClient, sendAs, textOf } from "../../cli/management_client.ts";
import type { JsonObject } from "../../std/json.ts";
import { Secret } from "../../std/secret.ts";

const PASSWORD = "correct-horse-battery";

/** How long a start may take, in milliseconds. */
const START_MS_MAX = 20_000;

/** Bounds what is kept of a log, in characters, and of its errors, in lines. */
const LOG_CHARS_KEPT = 20_000;
const ERRORS_KEPT = 100;

const DATABASE_FILE = "inference-proxy.db";

/** Processes that run now: none may be left behind, however the torture ends. */
const running = new Set<Bun.Subprocess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export interface ProxyOptions {
  readonly binary: string;
  /** Where requests to providers may go, as `host:port`. */
  readonly upstream: string;
  /** An empty directory to serve from; one of its own by default, removed at the end. */
  readonly dataDir?: string;
  /** A command that the binary is handed to, such as a shell that sets a limit. */
  readonly wrapper?: readonly string[];
  /** Further flags of the program. */
  readonly flags?: readonly string[];
  /** The path of each provider's API below the upstream; by default there is OpenAI alone, at `/v1`. */
  readonly providers?: Readonly<Record<string, string>>;
}

export interface CreatedKey {
  readonly id: string;
  readonly secret: string;
}

/** The compiled program on one data directory, through as many processes as it takes. */
export class Proxy implements AsyncDisposable {
  readonly dataDir: string;
  readonly #options: ProxyOptions;
  readonly #ownsDir: boolean;
  #child: Bun.Subprocess | null = null;
  #url = "";
  #log = "";
  #errors: string[] = [];
  #organizationId = "";

  private constructor(options: ProxyOptions) {
    this.#options = options;
    this.#ownsDir = options.dataDir === undefined;
    this.dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "inference-proxy-torture-"));
  }

  /** Starts the program for the first time, with its providers at the upstream and a high cost limit. */
  static async open(options: ProxyOptions): Promise<Proxy> {
    const proxy = new Proxy(options);
    await proxy.start();
    const [organization] = listOf(
      await proxy.#client().call("GET", "/organizations"),
      "organizations",
    );
    proxy.#organizationId = textOf(organization, "id");
    await proxy.configure();
    return proxy;
  }

  /** Sets what calls need: a high cost limit, no circuit open, and every provider at the upstream. */
  async configure(): Promise<void> {
    const { upstream, providers = { openai: "/v1" } } = this.#options;
    await this.manage("PUT", "/settings", {
      monthly_cost_limit_cents: 1_000_000_000,
      eu_only: false,
      reset_circuit: true,
    });
    for (const [provider, path] of Object.entries(providers))
      await this.manage("PUT", "/providers", {
        provider,
        api_key: "sk-torture",
        base_url: `http://${upstream}${path}`,
        enabled: true,
      });
  }

  /** The address, such as `http://127.0.0.1:40000`. */
  get url(): string {
    return this.#url;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  /** Whether a process runs. */
  get runs(): boolean {
    return this.#child !== null && running.has(this.#child);
  }

  /** The last lines of the log. */
  get log(): string {
    return this.#log;
  }

  /** The first lines at level error that the process has logged. */
  get errors(): readonly string[] {
    return this.#errors;
  }

  /** The port of the address. */
  get port(): number {
    return Number(new URL(this.#url).port);
  }

  /** How the owner signs in, as the value of a header. */
  get authorization(): string {
    return `Basic ${btoa(`admin:${PASSWORD}`)}`;
  }

  /** Where the organization is managed, such as `/organizations/ID/inference`. */
  get managementPath(): string {
    return this.#path("");
  }

  /** Starts a process and waits until it is ready. @throws {Error} If it ends instead. */
  async start(): Promise<void> {
    const { binary, wrapper = [], upstream, flags = [] } = this.#options;
    const argv = ["serve", "--listen", "127.0.0.1:0", "--data-dir", this.dataDir];
    const own = ["--allow-upstream", upstream, "--log-format", "json"];
    const child = Bun.spawn([...wrapper, binary, ...argv, ...own, ...flags], {
      env: {
        PATH: process.env.PATH ?? "",
        BUN_CONFIG_MAX_HTTP_REQUESTS: "16384",
        INFERENCE_PROXY_ADMIN_PASSWORD: PASSWORD,
      },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    running.add(child);
    void child.exited.then(() => running.delete(child));
    this.#child = child;
    const address = Promise.withResolvers<string | null>();
    void this.#readLog(child.stderr, address.resolve);
    const timer = setTimeout(() => child.kill("SIGKILL"), START_MS_MAX);
    const found = await address.promise;
    clearTimeout(timer);
    if (found === null) throw new Error(`Cannot start ${binary}: it ended\n${this.#log}`);
    this.#url = `http://${found}`;
  }

  /** Ends the process at once, as a power cut would. */
  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  /** Asks the process to end as soon as its calls have. */
  terminate(): void {
    this.#child?.kill("SIGTERM");
  }

  /** Resolves when the process has ended, with its exit code; null if a signal ended it. */
  async ended(): Promise<number | null> {
    await this.#child?.exited;
    return this.#child?.exitCode ?? null;
  }

  /** Asks the management plane as the owner, below the organization's path. */
  manage(method: string, path: string, body?: JsonObject): Promise<JsonObject> {
    return this.#client().call(method, this.#path(path), body);
  }

  /** Asks the management plane and returns only the status of its answer. */
  async manageStatus(method: string, path: string, body?: JsonObject): Promise<number> {
    const response = await fetch(this.#url + this.#path(path), {
      method,
      headers: {
        authorization: this.authorization,
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    await response.arrayBuffer();
    return response.status;
  }

  /** Adds a user who owns the organization, too. */
  async addOwner(user: string, password: string): Promise<void> {
    const path = `/organizations/${this.#organizationId}/members`;
    await this.#client().call("POST", path, { user, role: "owner", password });
  }

  async createKey(limits: { tokens?: number; rpm?: number } = {}): Promise<CreatedKey> {
    const created = await this.manage("POST", "/keys", {
      name: "torture",
      monthly_token_limit: limits.tokens ?? 1_000_000_000_000,
      rate_limit_rpm: limits.rpm ?? 100_000,
    });
    const secret = textOf(created, "secret");
    return { id: textOf(listOf({ keys: [created["key"] ?? null] }, "keys")[0], "id"), secret };
  }

  /** Reads the database beside the process that serves. */
  read<Result>(look: (database: Database) => Result): Result {
    const database = new Database(join(this.dataDir, DATABASE_FILE), { readonly: true });
    try {
      return look(database);
    } finally {
      database.close();
    }
  }

  /** Opens a second connection that can write, as somebody's database tool would. */
  openDatabase(): Database {
    return new Database(join(this.dataDir, DATABASE_FILE), { readwrite: true, create: false });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.ended();
    if (this.#ownsDir) rmSync(this.dataDir, { recursive: true, force: true });
  }

  #client(): ManagementClient {
    return new ManagementClient(sendAs(this.#url, "admin", new Secret(PASSWORD)));
  }

  #path(path: string): string {
    return `/organizations/${this.#organizationId}/inference${path}`;
  }

  async #readLog(
    stream: ReadableStream<Uint8Array>,
    found: (address: string | null) => void,
  ): Promise<void> {
    const decoder = new TextDecoder();
    this.#log = "";
    this.#errors = [];
    let rest = "";
    for await (const piece of stream) {
      const text = decoder.decode(piece, { stream: true });
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.#log = (this.#log + text).slice(-LOG_CHARS_KEPT);
      for (const line of lines) this.#look(line, found);
    }
    found(null);
  }

  #look(line: string, found: (address: string) => void): void {
    const address = /"msg":"ready","listen":"([^"]+)"/.exec(line)?.[1];
    if (address !== undefined) found(address);
    const isError = line.includes('"level":"error"');
    if (isError && this.#errors.length < ERRORS_KEPT) this.#errors.push(line);
  }
}
