import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManagementClient, listOf, textOf } from "../../cli/management_client.ts";
import type { JsonObject } from "../../std/json.ts";
import { Secret } from "../../std/secret.ts";

const PASSWORD = "correct-horse-battery";

/** How long a start may take, in milliseconds. */
const START_MS_MAX = 20_000;

/** Bounds what is kept of a log, in characters. */
const LOG_CHARS_KEPT = 20_000;

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
  #organizationId = "";

  private constructor(options: ProxyOptions) {
    this.#options = options;
    this.#ownsDir = options.dataDir === undefined;
    this.dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "inference-proxy-torture-"));
  }

  /** Starts the program for the first time, with OpenAI at the upstream and a high cost limit. */
  static async open(options: ProxyOptions): Promise<Proxy> {
    const proxy = new Proxy(options);
    await proxy.start();
    const [organization] = listOf(
      await proxy.#client().call("GET", "/organizations"),
      "organizations",
    );
    proxy.#organizationId = textOf(organization, "id");
    await proxy.manage("PUT", "/settings", { monthly_cost_limit_cents: 1_000_000_000 });
    await proxy.manage("PUT", "/providers", {
      provider: "openai",
      api_key: "sk-torture",
      base_url: `http://${options.upstream}/v1`,
    });
    return proxy;
  }

  /** The address, such as `http://127.0.0.1:40000`. */
  get url(): string {
    return this.#url;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  /** The last lines of the log. */
  get log(): string {
    return this.#log;
  }

  /** Lines of the log at level error. */
  get errors(): string[] {
    return this.#log.split("\n").filter((line) => line.includes('"level":"error"'));
  }

  /** Starts a process and waits until it is ready. @throws {Error} If it ends instead. */
  async start(): Promise<void> {
    const { binary, wrapper = [], upstream } = this.#options;
    const argv = ["serve", "--listen", "127.0.0.1:0", "--data-dir", this.dataDir];
    const flags = ["--allow-upstream", upstream, "--log-format", "json"];
    const child = Bun.spawn([...wrapper, binary, ...argv, ...flags], {
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
        authorization: `Basic ${btoa(`admin:${PASSWORD}`)}`,
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    await response.arrayBuffer();
    return response.status;
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
    return new ManagementClient(this.#url, "admin", new Secret(PASSWORD));
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
    for await (const piece of stream) {
      this.#log = (this.#log + decoder.decode(piece, { stream: true })).slice(-LOG_CHARS_KEPT);
      const address = /"msg":"ready","listen":"([^"]+)"/.exec(this.#log)?.[1];
      if (address !== undefined) found(address);
    }
    found(null);
  }
}
