/**
 * A program: makes calls to hosts behind TLS whose names only it can look up, and prints what became of them
 * as one line of JSON. A process of its own, because what it trusts is decided when a process starts.
 *
 *     NODE_EXTRA_CA_CERTS=ca.pem bun pinned_calls.ts '{"trusted": {cert, key}, "foreign": {cert, key}}'
 */
import { openTestApp } from "./app.ts";
import type { Certificate } from "./certificates.ts";
import { type Addressed, startTlsUpstream } from "./tls_upstream.ts";

/** What is printed. */
export interface PinnedCalls {
  /** The status of each call, in order: the right name, the wrong name, the right name, the foreign authority. */
  readonly statuses: readonly number[];
  readonly requests: readonly Addressed[];
  /** The port of the upstream, where the requests went. */
  readonly port: number;
  readonly foreignRequests: number;
  readonly lookups: readonly string[];
  readonly logged: string;
}

type AnyJson = { readonly body: never };

async function main(trusted: Certificate, foreign: Certificate): Promise<PinnedCalls> {
  const upstream = await startTlsUpstream(trusted);
  const elsewhere = await startTlsUpstream(foreign);
  const lookups: string[] = [];
  const lookup = async (name: string) => {
    lookups.push(name);
    return ["127.0.0.1"];
  };
  const hosts = [
    `gateway.test:${upstream.port}`,
    `impostor.test:${upstream.port}`,
    `gateway.test:${elsewhere.port}`,
  ] as const;
  const flags = hosts.flatMap((host) => ["--allow-upstream", host]);
  const app = await openTestApp({ flags, lookup });
  const listed: AnyJson = await app.manage("GET", "/organizations");
  const { organizations } = listed.body as { organizations: { id: string }[] };
  const root = `/organizations/${organizations[0]?.id}/inference`;
  await app.manage("PUT", `${root}/settings`, { monthly_cost_limit_cents: 1_000_000 });
  const providers = ["openai", "mistral", "groq"] as const;
  for (const [index, provider] of providers.entries()) {
    const base_url = `https://${hosts[index]}/v1`;
    await app.manage("PUT", `${root}/providers`, { provider, api_key: "sk-test-key", base_url });
  }
  const key = { name: "test", monthly_token_limit: 1e9 };
  const created: AnyJson = await app.manage("POST", `${root}/keys`, key);
  const { secret } = created.body as { secret: string };
  const call = async (provider: string) => {
    const body = { model: `${provider}/some-model`, messages: [{ role: "user", content: "hi" }] };
    const response = await fetch(`${app.url}/inference/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}` },
      body: JSON.stringify(body),
    });
    await response.text();
    return response.status;
  };
  const statuses: number[] = [];
  for (const provider of ["openai", "mistral", "openai", "groq"])
    statuses.push(await call(provider));
  const { requests, port } = upstream;
  const foreignRequests = elsewhere.requests.length;
  const report = {
    statuses,
    requests,
    port,
    foreignRequests,
    lookups,
    logged: app.logged.join(""),
  };
  await app.close();
  await upstream.stop();
  await elsewhere.stop();
  return report;
}

if (import.meta.main) {
  const { trusted, foreign } = JSON.parse(process.argv[2] ?? "{}");
  console.log(JSON.stringify(await main(trusted, foreign)));
}
