import { expect, setDefaultTimeout, test } from "bun:test";
import { openFolder, runBinary } from "../support/binary.ts";
import { type Authority, openAuthority } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { openProxy, PROVIDER_KEY, PROVIDERS, type TestProxy } from "../support/proxy.ts";
import { startTlsUpstream, type TlsUpstream } from "../support/tls_upstream.ts";

setDefaultTimeout(30_000);

/** A provider behind TLS on `localhost`, the one name that every machine can look up. */
async function startLocalhost(authority: Authority): Promise<TlsUpstream & { baseUrl: string }> {
  const upstream = await startTlsUpstream(await authority.issue("localhost"));
  return { ...upstream, baseUrl: `https://localhost:${upstream.port}/v1` };
}

/** Configures one provider and calls it. Returns the answer. */
async function callOne(proxy: TestProxy, baseUrl: string): Promise<Response> {
  await proxy.manage("PUT", "/settings", { monthly_cost_limit_cents: 1_000_000 });
  const config = { provider: "openai", api_key: PROVIDER_KEY, base_url: baseUrl };
  expect((await proxy.manage("PUT", "/providers", config)).status).toBe(200);
  return callModel(proxy, "openai/gpt-4o-mini");
}

async function callModel(proxy: TestProxy, model: string): Promise<Response> {
  const { secret } = await proxy.createKey();
  return fetch(`${proxy.baseUrl}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}` },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] }),
  });
}

test("a provider behind a private authority is called once the operator trusts that authority", async () => {
  using authority = openAuthority();
  const upstream = await startLocalhost(authority);
  const flags = ["--allow-upstream", `localhost:${upstream.port}`];
  {
    await using proxy = await openProxy(flags);
    const answer = await callOne(proxy, upstream.baseUrl);
    expect(answer.status).toBe(502);
    expect(upstream.requests).toEqual([]);
    await eventually(() => proxy.binary.output().includes("UNABLE_TO_VERIFY_LEAF_SIGNATURE"));
  }
  for (const name of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"]) {
    await using proxy = await openProxy(flags, { environment: { [name]: authority.path } });
    expect((await callOne(proxy, upstream.baseUrl)).status).toBe(200);
    const addressed = { host: `localhost:${upstream.port}`, serverName: "localhost" };
    expect(upstream.requests.at(-1)).toEqual(addressed);
  }
  expect(upstream.requests).toHaveLength(2);
  await upstream.stop();
});

test("a certificate for another name ends the call before anything is sent", async () => {
  using authority = openAuthority();
  const upstream = await startTlsUpstream(await authority.issue("gateway.example"));
  const host = `localhost:${upstream.port}`;
  await using proxy = await openProxy(["--allow-upstream", host], {
    environment: { NODE_EXTRA_CA_CERTS: authority.path },
  });
  expect((await callOne(proxy, `https://${host}/v1`)).status).toBe(502);
  expect(upstream.requests).toEqual([]);
  await eventually(() => proxy.binary.output().includes("ERR_TLS_CERT_ALTNAME_INVALID"));
  expect(await proxy.usage()).toEqual([]);
  await upstream.stop();
});

test("an environment that asks not to check certificates is refused", async () => {
  using folder = openFolder();
  const argv = ["serve", "--data-dir", folder.path, "--listen", "127.0.0.1:0"];
  const environment = { NODE_TLS_REJECT_UNAUTHORIZED: "0" };
  const ended = await runBinary(argv, { environment });
  expect(ended.exitCode).toBe(78);
  expect(ended.stderr).toContain("error: Cannot read environment: NODE_TLS_REJECT_UNAUTHORIZED=0");
  expect(ended.stderr).toMatch(/^ {2}fix +unset it.*NODE_EXTRA_CA_CERTS/m);
});

test("proxies that the environment names are shown nothing, and the operator is told", async () => {
  const seen: string[] = [];
  const canary = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: () => void seen.push("connection"),
      data: (socket, data) => {
        seen.push(data.toString());
        socket.end("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
      },
    },
  });
  using authority = openAuthority();
  const upstream = await startLocalhost(authority);
  const names = ["http_proxy", "https_proxy", "all_proxy"].flatMap((name) => [
    name,
    name.toUpperCase(),
  ]);
  const address = `http://127.0.0.1:${canary.port}`;
  const environment = {
    ...Object.fromEntries(names.map((name) => [name, address])),
    NODE_EXTRA_CA_CERTS: authority.path,
  };
  await using proxy = await openProxy(["--allow-upstream", `localhost:${upstream.port}`], {
    environment,
  });
  expect((await callOne(proxy, upstream.baseUrl)).status).toBe(200);
  await proxy.configure();
  expect((await callModel(proxy, "openai/gpt-4o-mini")).status).toBe(200);
  expect(seen).toEqual([]);
  const warnings = proxy.binary.output().match(/.*not through a proxy.*/g);
  expect(warnings).toHaveLength(1);
  for (const name of names) expect(warnings?.[0]).toContain(name);
  canary.stop(true);
  await upstream.stop();
});

test("an environment that asks for requests to be printed gets no provider key to see", async () => {
  for (const value of ["curl", "1"]) {
    const environment = { BUN_CONFIG_VERBOSE_FETCH: value };
    await using proxy = await openProxy([], { environment });
    await proxy.configure();
    for (const provider of PROVIDERS) {
      expect((await callModel(proxy, `${provider}/gpt-4o-mini`)).status).toBeLessThan(600);
    }
    expect(proxy.standIn.count).toBeGreaterThan(0);
    expect(proxy.binary.output()).not.toContain(PROVIDER_KEY);
    expect(proxy.binary.output()).not.toContain(PROVIDER_KEY.slice(0, 14));
  }
});
