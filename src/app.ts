import { join } from "node:path";
import type { Config } from "./config.ts";
import { Connections } from "./data_plane/connections.ts";
import type { Deps } from "./data_plane/deps.ts";
import { InFlight } from "./data_plane/in_flight.ts";
import { Pulse } from "./data_plane/pulse.ts";
import { serveDataPlane } from "./data_plane/routes.ts";
import { generatePassword } from "./domain/generated_password.ts";
import { createManagementPlane, type ManagementPlane } from "./management_plane/handler.ts";
import { type Clock, systemClock } from "./std/clock.ts";
import type { Log } from "./std/log.ts";
import { Passwords } from "./std/password.ts";
import { requestTarget } from "./std/request_target.ts";
import { Secret } from "./std/secret.ts";
import { type DataDir, openDataDir } from "./store/data_dir.ts";
import { Directory } from "./store/directory.ts";
import { ensureFirstOrganization, isFirstStart } from "./store/first_start.ts";
import { Ledger } from "./store/ledger.ts";
import { Live } from "./store/live.ts";
import { openMasterKey } from "./store/master_key.ts";
import { migrate, SCHEMA } from "./store/migrate.ts";
import { Retention } from "./store/retention.ts";
import { closeSqlite, openSqlite, type Sqlite } from "./store/sqlite.ts";
import type { Vault } from "./store/vault.ts";

/** What a first start created, for whoever started it to read once. */
export interface FirstStart {
  readonly databasePath: string;
  readonly schema: string;
  readonly masterKeyPath: string;
  readonly masterKeyId: string;
  readonly masterKeyCreated: boolean;
  readonly adminUser: string;
  /** Null if the operator chose it. */
  readonly adminPassword: Secret | null;
}

/** Where the app listens. */
export interface Listening {
  readonly host: string;
  readonly port: number;
}

export interface AppOptions {
  readonly log: Log;
  readonly clock?: Clock;
}

const DATABASE_FILE = "inference-proxy.db";

/** Idle connections end after this many seconds; Bun's timer takes no less than 8. */
const IDLE_TIMEOUT_S = 10;

/** Above what the data plane reads itself, so that the answer to too long a body is ours. */
const BODY_BYTES_BACKSTOP = 2 ** 40;

/**
 * Opens everything that serves: database, master key, ledger, both planes. Nothing listens yet.
 *
 * @throws If the data directory, the database or the master key cannot be used; then nothing has changed.
 */
export async function openApp(
  config: Config,
  { log, clock = systemClock }: AppOptions,
): Promise<App> {
  const dataDir = openDataDir(config.dataDir);
  const databasePath = join(config.dataDir, DATABASE_FILE);
  try {
    const sqlite = openSqlite(databasePath, config.synchronous);
    try {
      const masterKey = await openMasterKey(sqlite.db, config.masterKey, clock.wallMs(), () =>
        migrate(sqlite.db),
      );
      const passwords = new Passwords(clock);
      const adminPassword = await createFirstUser(sqlite, passwords, config, clock);
      const firstStart: FirstStart | null = adminPassword && {
        databasePath,
        schema: SCHEMA,
        masterKeyPath: config.masterKey.path,
        masterKeyId: masterKey.vault.keyId,
        masterKeyCreated: masterKey.created,
        adminUser: "admin",
        adminPassword: config.adminPassword === null ? adminPassword : null,
      };
      return new App({
        config,
        log,
        clock,
        dataDir,
        sqlite,
        passwords,
        firstStart,
        vault: masterKey.vault,
      });
    } catch (error) {
      await closeSqlite(sqlite);
      throw error;
    }
  } catch (error) {
    dataDir.close();
    throw error;
  }
}

/** Returns the first user's password, or null if there are users already. */
async function createFirstUser(
  { db }: Sqlite,
  passwords: Passwords,
  config: Config,
  clock: Clock,
): Promise<Secret | null> {
  if (!(await isFirstStart(db))) return null;
  const password = config.adminPassword ?? new Secret(generatePassword());
  const passwordHash = await passwords.hash(password.reveal());
  const nowMs = clock.wallMs();
  await db.transaction().execute((tx) => ensureFirstOrganization(tx, { passwordHash, nowMs }));
  return password;
}

interface Parts extends Required<AppOptions> {
  readonly config: Config;
  readonly dataDir: DataDir;
  readonly sqlite: Sqlite;
  readonly passwords: Passwords;
  readonly firstStart: FirstStart | null;
  readonly vault: Vault;
}

/** The whole program, open: it listens, drains and closes. */
export class App {
  readonly firstStart: FirstStart | null;
  readonly #parts: Parts;
  readonly #deps: Deps;
  readonly #management: ManagementPlane;
  readonly #retention: Retention;
  #server: Bun.Server<undefined> | null = null;

  constructor(parts: Parts) {
    const { config, log, clock, sqlite, passwords, vault } = parts;
    this.#parts = parts;
    this.firstStart = parts.firstStart;
    const directory = new Directory(sqlite);
    const ledger = new Ledger(sqlite, clock, log);
    const allowedUpstreams = new Set(config.allowUpstream);
    this.#deps = {
      config,
      clock,
      log,
      directory,
      ledger,
      connections: new Connections(vault, allowedUpstreams, log),
      inFlight: new InFlight(),
      pulse: new Pulse(clock),
    };
    const live = new Live(directory, ledger);
    const { db } = sqlite;
    this.#retention = new Retention(db, clock, log, config.callRetentionMs);
    this.#management = createManagementPlane({
      db,
      clock,
      vault,
      passwords,
      live,
      allowedUpstreams,
      log,
    });
  }

  /** Begins to listen. @throws If the address is taken or not to be had. */
  listen(): Listening {
    const { listen } = this.#parts.config;
    this.#server = Bun.serve({
      hostname: listen.host,
      port: listen.port,
      idleTimeout: IDLE_TIMEOUT_S,
      maxRequestBodySize: BODY_BYTES_BACKSTOP,
      // By default Bun shares a port that another process of its kind listens on.
      reusePort: false,
      development: false,
      fetch: (request, server) => this.#serve(request, server),
      error: (error) => this.#failed(error),
    });
    this.#retention.start();
    return { host: listen.host, port: this.#server.port ?? listen.port };
  }

  /** The calls being served. */
  get callsInFlight(): number {
    return this.#deps.inFlight.count;
  }

  /** Looks at once at what otherwise is looked at every second: silent streams, timeouts. */
  beat(): void {
    this.#deps.pulse.beat();
  }

  /** Takes no new calls, and resolves when those in flight have ended, by themselves or at the time limit. */
  async drain(): Promise<void> {
    const { inFlight } = this.#deps;
    const drained = inFlight.drain();
    const timer = setTimeout(() => inFlight.endAll(), this.#parts.config.drainTimeoutMs);
    await drained;
    clearTimeout(timer);
  }

  /** Ends what is left, writes everything down and closes. */
  async close(): Promise<void> {
    const { sqlite, dataDir } = this.#parts;
    this.#deps.inFlight.endAll();
    await this.#deps.inFlight.drain();
    await this.#server?.stop(true);
    await this.#retention.stop();
    await this.#deps.ledger.close();
    await closeSqlite(sqlite);
    dataDir.close();
  }

  #serve(request: Request, server: Bun.Server<undefined>): Response | Promise<Response> {
    const { path } = requestTarget(request.url);
    if (path === "/organizations" || path.startsWith("/organizations/")) {
      return this.#management(request, { address: server.requestIP(request)?.address ?? "" });
    }
    if (PROBES.has(path) && (request.method === "GET" || request.method === "HEAD")) {
      return this.#probe(path);
    }
    const idleTimeout = (seconds: number) => server.timeout(request, seconds);
    return serveDataPlane({ request, idleTimeout }, this.#deps);
  }

  /** Says whether the process lives, and whether calls should be sent to it. */
  #probe(path: string): Response {
    const ready = !this.#deps.inFlight.draining || path === "/livez";
    return new Response(ready ? "ok\n" : "draining\n", { status: ready ? 200 : 503 });
  }

  #failed(error: Error): Response {
    this.#parts.log.error("request failed", { error: String(error) });
    return Response.json(
      {
        error: {
          message: "Cannot serve request: internal error",
          type: "server_error",
          param: null,
          code: "internal_error",
        },
      },
      { status: 500 },
    );
  }
}

const PROBES = new Set(["/", "/livez", "/readyz", "/healthz"]);
