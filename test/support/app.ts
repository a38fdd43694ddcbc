import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type App, openApp } from "../../src/app.ts";
import { type Config, parseConfig } from "../../src/config.ts";
import type { Clock } from "../../src/std/clock.ts";
import { systemClock } from "../../src/std/clock.ts";
import type { HostLookup } from "../../src/std/host_lookup.ts";
import { createLog } from "../../src/std/log.ts";

export const ADMIN_PASSWORD = "correct-horse-battery";

/** The whole app in a temporary directory, listening on a free port of loopback. */
export interface TestApp {
  readonly app: App;
  readonly url: string;
  readonly dataDir: string;
  /** Everything logged so far. */
  readonly logged: string[];
  /** Calls the management plane as the first owner; the answer's body is parsed. */
  manage(method: string, path: string, body?: unknown): Promise<{ status: number; body: never }>;
  /** Closes the app and opens another on the same directory. */
  restart(): Promise<TestApp>;
  close(): Promise<void>;
}

export interface TestAppOptions {
  readonly clock?: Clock;
  readonly flags?: readonly string[];
  readonly dataDir?: string;
  /** Stands in for the name servers. */
  readonly lookup?: HostLookup;
}

export async function openTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "inference-proxy-"));
  const logged: string[] = [];
  const clock = options.clock ?? systemClock;
  const log = createLog({
    level: "debug",
    human: false,
    nowMs: () => clock.wallMs(),
    write: (line) => logged.push(line),
  });
  const config: Config = parseConfig(
    ["--data-dir", dataDir, "--listen", "127.0.0.1:0", ...(options.flags ?? [])],
    { INFERENCE_PROXY_ADMIN_PASSWORD: ADMIN_PASSWORD },
  );
  const app = await openApp(config, {
    log,
    clock,
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
  });
  const { host, port } = app.listen();
  const url = `http://${host}:${port}`;
  return {
    app,
    url,
    dataDir,
    logged,
    manage: (method, path, body) => manage(url, method, path, body),
    restart: async () => {
      await app.close();
      return openTestApp({ ...options, dataDir });
    },
    close: async () => {
      await app.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function manage(url: string, method: string, path: string, body?: unknown) {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Basic ${btoa(`admin:${ADMIN_PASSWORD}`)}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === "" ? null : JSON.parse(text)) as never };
}
