import { lstatSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "./config.ts";
import { Connections } from "./data_plane/connections.ts";
import type { Deps } from "./data_plane/deps.ts";
import { InFlight } from "./data_plane/in_flight.ts";
import { Pulse } from "./data_plane/pulse.ts";
import { Slots } from "./data_plane/slots.ts";
import { serveDataPlane } from "./data_plane/routes.ts";
import { createTryProvider } from "./data_plane/try_provider.ts";
import { UpstreamHosts } from "./data_plane/upstream_hosts.ts";
import { generatePassword } from "./domain/generated_password.ts";
import { OPERATOR } from "./management_plane/call.ts";
import type { Status } from "./management_plane/deps.ts";
import { createManagementPlane, type ManagementPlane } from "./management_plane/handler.ts";
import { refuseOtherHost } from "./management_plane/own_host.ts";
import { readProcessFacts } from "./process_facts.ts";
import { reference } from "./reference.ts";
import { clientAddress } from "./std/client_address.ts";
import { type Clock, systemClock } from "./std/clock.ts";
import { actAs, type Owner } from "./std/effective_user.ts";
import type { Log } from "./std/log.ts";
import { watchMemory } from "./std/memory_watch.ts";
import { Passwords } from "./std/password.ts";
import { requestTarget } from "./std/request_target.ts";
import { type HostLookup, systemHostLookup } from "./std/host_lookup.ts";
import { formatHostPort } from "./std/host_port.ts";
import { formatRfc3339 } from "./std/rfc3339.ts";
import { Secret } from "./std/secret.ts";
import { serveUnix, type UnixServer } from "./std/unix_server.ts";
import { type DataDir, openDataDir } from "./store/data_dir.ts";
import { Directory } from "./store/directory.ts";
import { Erasure } from "./store/erasure.ts";
import { ensureFirstOrganization, isFirstStart } from "./store/first_start.ts";
import { takeInventory } from "./store/inventory.ts";
import { Ledger } from "./store/ledger.ts";
import { Live } from "./store/live.ts";
import { openMasterKey } from "./store/master_key.ts";
import { MasterKeyRotation } from "./store/master_key_rotation.ts";
import { migrate, SCHEMA } from "./store/migrate.ts";
import { Retention } from "./store/retention.ts";
import { closeSqlite, openSqlite, type Sqlite } from "./store/sqlite.ts";
import { checkAtStart } from "./store/start_check.ts";
import type { Vault } from "./store/vault.ts";
import { Telemetry } from "./telemetry.ts";
import { VERSION } from "./version.ts";

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
  /** How names of hosts become addresses. */
  readonly lookup?: HostLookup;
  /** Whether root opens the files as the owner of the database may: no link in a folder of theirs leads it astray. */
  readonly asOwner?: boolean;
}

/** Where a data directory has its database. */
export function databasePath(dataDir: string): string {
  return join(dataDir, "inference-proxy.db");
}

/** Where the operator of a data directory talks to the process that serves from it. */
export function controlSocket(dataDir: string): string {
  return join(dataDir, "control.sock");
}

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
  { log, clock = systemClock, lookup = systemHostLookup, asOwner = false }: AppOptions,
): Promise<App> {
  const path = databasePath(config.dataDir);
  const owner = asOwner ? lstatSync(path, { throwIfNoEntry: false }) : undefined;
  const dataDir = openAs(owner, () => openDataDir(config.dataDir));
  try {
    const sqlite = openAs(owner, () => openSqlite(path, config.synchronous));
    try {
      const checked = checkAtStart(sqlite.connection, path);
      if (checked === "too_large")
        log.warn("the database was not closed, and is too large to be checked at the start", {
          check: "inference-proxy backup checks it",
        });
      const masterKey = await openMasterKey(sqlite.db, config.masterKey, clock.wallMs(), () =>
        migrate(sqlite.db),
      );
      const passwords = new Passwords(clock);
      const adminPassword = await createFirstUser(sqlite, passwords, config, clock);
      const firstStart: FirstStart | null = adminPassword && {
        databasePath: path,
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
        lookup,
        dataDir,
        sqlite,
        passwords,
        firstStart,
        vault: masterKey.vault,
        wasClosed: checked === "clean",
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

/** Opens files with the rights of their owner, if there is one yet. The master key may be where only root may look. */
function openAs<Opened>(owner: Owner | undefined, open: () => Opened): Opened {
  using _rights = owner === undefined ? null : actAs(owner);
  return open();
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

interface Parts extends Required<Omit<AppOptions, "asOwner">> {
  readonly config: Config;
  readonly dataDir: DataDir;
  readonly sqlite: Sqlite;
  readonly passwords: Passwords;
  readonly firstStart: FirstStart | null;
  readonly vault: Vault;
  /** Whether the last process closed the database, or there was none. */
  readonly wasClosed: boolean;
}

/** The whole program, open: it listens, drains and closes. */
export class App {
  readonly firstStart: FirstStart | null;
  readonly #parts: Parts;
  readonly #deps: Deps;
  readonly #management: ManagementPlane;
  readonly #retention: Retention;
  readonly #rotation: MasterKeyRotation;
  readonly #erasure: Erasure;
  readonly #startedAtMs: number;
  readonly #ownHosts: ReadonlySet<string>;
  readonly #telemetry: Telemetry;
  #server: Bun.Server<undefined> | null = null;
  #controlSocket: UnixServer | null = null;

  constructor(parts: Parts) {
    const { config, log, clock, lookup, sqlite, passwords, vault } = parts;
    this.#parts = parts;
    this.#startedAtMs = clock.wallMs();
    this.#ownHosts = new Set([...config.hostNames, config.listen.host]);
    this.firstStart = parts.firstStart;
    const directory = new Directory(sqlite);
    const ledger = new Ledger(sqlite, clock, log);
    const allowedUpstreams = new Set(config.allowUpstream);
    const { db } = sqlite;
    const path = databasePath(config.dataDir);
    const telemetry = { config, clock, log, db, databasePath: path, directory, ledger };
    this.#telemetry = new Telemetry(telemetry);
    this.#deps = {
      config,
      clock,
      log,
      directory,
      ledger,
      connections: new Connections(vault, allowedUpstreams, log),
      hosts: new UpstreamHosts({ allowedUpstreams, lookup, clock, log }),
      inFlight: new InFlight(),
      observer: this.#telemetry.observer,
      pulse: new Pulse(clock),
      slots: new Slots(config, watchOwnMemory(config.memoryLimitBytes, clock, log)),
    };
    const live = new Live(directory, ledger);
    this.#retention = new Retention(db, clock, log, config.callRetentionMs);
    const erasure = new Erasure(db, log);
    const rotation = new MasterKeyRotation({ db, vault, directory, erasure, clock, log });
    this.#erasure = erasure;
    this.#rotation = rotation;
    this.#management = createManagementPlane({
      db,
      clock,
      vault,
      rotation,
      erasure,
      passwords,
      live,
      allowedUpstreams,
      log,
      status: () => this.status(),
      facts: () => readProcessFacts({ ...this.#deps, config, db, telemetry: this.#telemetry }),
      tryProvider: createTryProvider(this.#deps),
    });
  }

  /** Begins to listen. @throws If the address is taken or not to be had. */
  listen(): Listening {
    const { listen, dataDir } = this.#parts.config;
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
    this.#controlSocket = serveUnix(controlSocket(dataDir), (request) => this.operate(request));
    this.#telemetry.start();
    this.#retention.start();
    this.#rotation.resume();
    // A kill may have come before what was deleted was erased; a closed database has nothing left to erase.
    if (!this.#parts.wasClosed) void this.#erasure.erase();
    return { host: listen.host, port: this.#server.port ?? listen.port };
  }

  /** Answers a request of the operator of this machine. It never rejects. */
  operate(request: Request): Promise<Response> {
    return this.#management(request, OPERATOR);
  }

  /** Says how the process is doing. */
  async status(): Promise<Status> {
    const { config, sqlite, vault } = this.#parts;
    const inventory = await takeInventory(sqlite.db);
    const port = this.#server?.port;
    return {
      version: VERSION,
      pid: process.pid,
      started_at: formatRfc3339(this.#startedAtMs),
      listen: port === undefined ? null : formatHostPort({ host: config.listen.host, port }),
      data_dir: config.dataDir,
      schema: SCHEMA,
      master_key_id: vault.keyId,
      draining: this.#deps.inFlight.draining,
      calls_in_flight: this.callsInFlight,
      organizations: inventory.organizations,
      provider_configs: inventory.providerConfigs,
      inference_keys: inventory.inferenceKeys,
      circuits_open: inventory.circuitsOpen,
      database_bytes: statSync(databasePath(config.dataDir)).size,
    };
  }

  /** The calls being served. */
  get callsInFlight(): number {
    return this.#deps.inFlight.count;
  }

  /** Resolves when the ledger has come to write: true if the disk took it. Never, if something holds it up. */
  ledgerTurn(): Promise<boolean> {
    return this.#deps.ledger.turn();
  }

  /** Looks at once at what otherwise is looked at every second: silent streams, timeouts. */
  beat(): void {
    this.#deps.pulse.beat();
  }

  /** Counts, logs and traces now what otherwise is told a moment after a call. */
  tell(): void {
    this.#telemetry.observer.tell();
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
    await this.#controlSocket?.stop();
    await this.#server?.stop(true);
    await this.#telemetry.close();
    await this.#retention.stop();
    await this.#rotation.stop();
    this.#erasure.stop();
    await this.#deps.ledger.close();
    await closeSqlite(sqlite);
    dataDir.close();
  }

  #serve(request: Request, server: Bun.Server<undefined>): Response | Promise<Response> {
    const { path } = requestTarget(request.url);
    if (path === "/organizations" || path.startsWith("/organizations/")) {
      const refusal = refuseOtherHost(request, this.#ownHosts);
      if (refusal !== null) return refusal;
      const peer = server.requestIP(request)?.address ?? "";
      const forwardedFor = request.headers.get("x-forwarded-for");
      const address = clientAddress(peer, forwardedFor, this.#parts.config.trustedProxies);
      return this.#management(request, { address, isOperator: false });
    }
    if (request.method === "GET" || request.method === "HEAD") {
      if (PROBES.has(path)) return this.#probe(path);
      if (path === "/metrics") return this.#telemetry.answer(request, server.requestIP(request));
      const file = reference(path);
      if (file !== null) return file;
    }
    const idleTimeout = (seconds: number) => server.timeout(request, seconds);
    return serveDataPlane({ request, idleTimeout }, this.#deps);
  }

  /** Says whether the process lives, and whether calls should be sent to it. */
  async #probe(path: string): Promise<Response> {
    const { inFlight, ledger } = this.#deps;
    const reasons: string[] = [];
    if (path !== "/livez" && inFlight.draining) reasons.push("draining");
    if (path !== "/livez" && !(await ledger.writable())) reasons.push("cannot write the ledger");
    if (reasons.length === 0) return new Response("ok\n");
    return new Response(reasons.map((reason) => `${reason}\n`).join(""), { status: 503 });
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

/** Watches how much memory the process has, and says so when it is too much. */
function watchOwnMemory(limitBytes: number, clock: Clock, log: Log): () => boolean {
  return watchMemory({
    limitBytes,
    clock,
    residentBytes: () => process.memoryUsage.rss(),
    collect: () => Bun.gc(true),
    onChange: (tooMuch, resident_bytes) => {
      const what = tooMuch ? "memory is short: calls are refused" : "memory is enough again";
      log.warn(what, { resident_bytes, limit_bytes: limitBytes });
    },
  });
}

const PROBES = new Set(["/", "/livez", "/readyz", "/healthz"]);
