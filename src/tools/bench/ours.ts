import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type BinaryOptions, manage, startBinary } from "./binary.ts";
import { RELAY, type Target } from "./target.ts";

/** The most that the management plane allows a key in a minute, so that many keys carry a full load. */
const RATE_LIMIT_RPM = 100_000;
const KEYS = 32;

/** As much as nobody uses: limits are judged on every call, and none refuses one. */
const COST_LIMIT_CENTS = 1_000_000_000;
const TOKEN_LIMIT = 1e15;

export interface OursOptions extends BinaryOptions {
  readonly name: string;
  /** The keys that calls present, if not those that are made for a new data directory. */
  readonly keysFile?: string;
}

/**
 * Starts the proxy on a data directory, configured through its own management plane as an operator would
 * do it: a cost limit, two providers and keys, every control on.
 */
export async function startOurs(options: OursOptions): Promise<Target> {
  mkdirSync(options.dataDir, { recursive: true });
  const running = await startBinary(options);
  const organizationId = await firstOrganization(running.port);
  const path = `/organizations/${organizationId}/inference`;
  await manage(running.port, "PUT", `${path}/settings`, {
    monthly_cost_limit_cents: COST_LIMIT_CENTS,
  });
  const upstream = `http://127.0.0.1:${options.upstreamPort}`;
  for (const [provider, baseUrl] of Object.entries({
    openai: `${upstream}/v1`,
    anthropic: upstream,
  }))
    await manage(running.port, "PUT", `${path}/providers`, {
      provider,
      api_key: "sk-bench-0123456789abcdef0123456789abcdef",
      base_url: baseUrl,
    });
  const keysFile = options.keysFile ?? join(options.dataDir, "bench-keys.txt");
  if (!existsSync(keysFile)) await createKeys(running.port, path, keysFile);
  return {
    ...RELAY,
    name: options.name,
    port: running.port,
    pids: [running.pid],
    keysFile,
    translates: true,
    stop: () => running.stop(),
  };
}

/** Returns the id of the organization that the first start created. */
export async function firstOrganization(port: number): Promise<string> {
  const { organizations } = (await manage(port, "GET", "/organizations")) as {
    organizations: { id: string }[];
  };
  const [first] = organizations;
  if (first === undefined) throw new Error("Cannot configure the proxy: it has no organization");
  return first.id;
}

async function createKeys(port: number, path: string, keysFile: string): Promise<void> {
  const secrets: string[] = [];
  for (let index = 0; index < KEYS; index += 1) {
    const limits = { monthly_token_limit: TOKEN_LIMIT, rate_limit_rpm: RATE_LIMIT_RPM };
    const created = await manage(port, "POST", `${path}/keys`, {
      name: `bench ${index}`,
      ...limits,
    });
    secrets.push((created as { secret: string }).secret);
  }
  await Bun.write(keysFile, secrets.join("\n"));
}
