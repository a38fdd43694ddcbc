import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  CHAT,
  chunk,
  completion,
  EventReader,
  proxyForTests,
  withProxy,
} from "./support/data_plane.ts";
import { openFolder } from "./support/binary.ts";
import { callsOfEveryKind, parseSamples, scrape, scrapeText } from "./support/scrape.ts";

/** Returns the samples of one metric, without its name. */
function samplesOf(samples: ReadonlyMap<string, number>, name: string): Record<string, number> {
  return Object.fromEntries(
    [...samples]
      .filter(([key]) => key === name || key.startsWith(`${name}{`))
      .map(([key, value]) => [key.slice(name.length), value]),
  );
}

const busy = await proxyForTests({ providers: ["openai", "anthropic"] });
await callsOfEveryKind(busy);
const samples = await scrape(busy);
const charged = await busy.usage("?group_by=model");

describe("after calls of every kind", () => {
  const at = (name: string) => samplesOf(samples, name);

  test("each is counted once, by what its client was told", () => {
    const requests = at("inference_proxy_requests_total");
    const line = (operation: string, provider: string, model: string, code: string) =>
      `{operation="${operation}",provider="${provider}",model="${model}",code="${code}"}`;
    expect(requests).toEqual({
      [line("chat", "openai", "gpt-4o-mini", "200")]: 3,
      [line("chat", "openai", "gpt-4o-mini", "client_closed")]: 1,
      [line("chat", "anthropic", "claude-sonnet-4-5", "200")]: 2,
      [line("embeddings", "openai", "text-embedding-3-small", "200")]: 1,
      [line("chat", "openai", "error-429", "upstream_error")]: 1,
      [line("chat", "anthropic", "error-529", "upstream_error")]: 1,
      [line("chat", "openai", "interrupted", "upstream_stream_interrupted")]: 1,
      [line("chat", "", "", "invalid_key")]: 1,
      [line("chat", "", "", "invalid_model")]: 1,
      [line("chat", "", "", "provider_not_configured")]: 1,
      [line("chat", "", "", "token_ceiling_exceeded")]: 1,
    });
    expect(samples.get('inference_proxy_request_duration_seconds_count{operation="chat"}')).toBe(
      13,
    );
    expect(
      samples.get('inference_proxy_request_duration_seconds_count{operation="embeddings"}'),
    ).toBe(1);
  });

  test("what the proxy refused is counted by its code, the other codes at 0", () => {
    const { ...rejections } = at("inference_proxy_rejections_total");
    const counted = Object.entries(rejections).filter(([, value]) => value > 0);
    expect(Object.fromEntries(counted)).toEqual({
      '{code="invalid_key"}': 1,
      '{code="invalid_model"}': 1,
      '{code="provider_not_configured"}': 1,
      '{code="token_ceiling_exceeded"}': 1,
      '{code="unknown_url"}': 1,
    });
    expect(rejections).toHaveProperty(['{code="rate_limited"}'], 0);
    expect(rejections).not.toHaveProperty(['{code="upstream_error"}']);
  });

  test("what failed at providers is counted by their status, or by a word", () => {
    expect(at("inference_proxy_upstream_errors_total")).toEqual({
      '{provider="openai",status="429"}': 1,
      '{provider="anthropic",status="529"}': 1,
      '{provider="openai",status="interrupted"}': 1,
    });
  });

  test("tokens and cost are those of the usage report", () => {
    const tokens = at("gen_ai_client_token_usage_sum");
    const cost = at("inference_proxy_cost_microcents_total");
    expect(charged.length).toBeGreaterThan(3);
    for (const row of charged) {
      const [provider, model] = row.group_key.split("/");
      expect(cost[`{org="default",provider="${provider}",model="${model}"}`]).toBe(
        row.cost_microcents,
      );
      const operation = model.startsWith("text-embedding") ? "embeddings" : "chat";
      const labels = `gen_ai_operation_name="${operation}",gen_ai_provider_name="${provider}",gen_ai_request_model="${model}"`;
      expect(tokens[`{${labels},gen_ai_token_type="input"}`]).toBe(row.input_tokens);
      expect(tokens[`{${labels},gen_ai_token_type="output"}`]).toBe(row.output_tokens);
    }
    expect(Object.keys(cost)).toHaveLength(charged.length);
  });

  test("streams have a time to their first chunk, and whole answers none", () => {
    const counts = at("gen_ai_client_operation_time_to_first_chunk_seconds_count");
    const models = Object.entries(counts).map(([labels, count]) => [
      /gen_ai_request_model="([^"]*)"/.exec(labels)?.[1],
      count,
    ]);
    expect(Object.fromEntries(models)).toEqual({
      "gpt-4o-mini": 2,
      "claude-sonnet-4-5": 1,
      interrupted: 1,
    });
  });

  test("what goes upstream is timed, and what was refused before is not", () => {
    const sum = (name: string) => Object.values(at(name)).reduce((all, one) => all + one, 0);
    expect(sum("gen_ai_client_operation_duration_seconds_count")).toBe(10);
    expect(samples.get("inference_proxy_overhead_seconds_count")).toBe(10);
  });

  test("nothing is left in flight or held", () => {
    expect(at("inference_proxy_inflight_requests")).toEqual({
      '{stream="true"}': 0,
      '{stream="false"}': 0,
    });
    expect(samples.get("inference_proxy_holds_pending")).toBe(0);
    expect(samples.get("inference_proxy_holds_expired_total")).toBe(0);
    expect(samples.get("inference_proxy_ledger_writable")).toBe(1);
  });

  test("nothing of what clients said or presented is shown", async () => {
    const text = await scrapeText(busy);
    for (const secret of [busy.key.secret, "sk-canary", "hello", "mine-1"])
      expect(text).not.toContain(secret);
  });

  const promtool = Bun.which("promtool");
  const skipped = promtool === null ? " (SKIPPED: promtool is not installed here)" : "";
  test.skipIf(promtool === null)(
    `promtool has no complaint about the scrape${skipped}`,
    async () => {
      const check = Bun.spawn([promtool ?? "", "check", "metrics"], {
        stdin: Buffer.from(await scrapeText(busy)),
        stdout: "pipe",
        stderr: "pipe",
      });
      const said =
        (await new Response(check.stdout).text()) + (await new Response(check.stderr).text());
      expect({ said, exitCode: await check.exited }).toEqual({ said: "", exitCode: 0 });
    },
  );
});

test("calls in flight are shown while they are", () =>
  withProxy({}, async (proxy) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    proxy.standIn.next({
      pieces: (async function* () {
        yield chunk({ content: "a" });
        await promise;
      })(),
    });
    const reader = new EventReader(await proxy.send({ ...CHAT, stream: true }));
    await reader.next();
    const during = parseSamples(await scrapeText(proxy));
    expect(samplesOf(during, "inference_proxy_inflight_requests")).toEqual({
      '{stream="true"}': 1,
      '{stream="false"}': 0,
    });
    expect(during.get("inference_proxy_holds_pending")).toBe(1);
    resolve();
    await reader.rest();
    const after = await scrape(proxy);
    expect(after.get('inference_proxy_inflight_requests{stream="true"}')).toBe(0);
  }));

test("times are those that passed", () =>
  withProxy({}, async (proxy) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = proxy.standIn.count;
    proxy.standIn.next({ until: promise });
    const answer = proxy.call();
    while (proxy.standIn.count === before) await new Promise((wait) => setImmediate(wait));
    proxy.clock.advance(3_000);
    resolve();
    await answer;
    const samples = await scrape(proxy);
    const bucket = (le: string) =>
      samples.get(`inference_proxy_request_duration_seconds_bucket{operation="chat",le="${le}"}`);
    expect([bucket("2.5"), bucket("5")]).toEqual([0, 1]);
    expect(samples.get('inference_proxy_request_duration_seconds_sum{operation="chat"}')).toBe(3);
    expect(samples.get("inference_proxy_overhead_seconds_sum")).toBe(0);
  }));

test("limits, what was used of them, and an open cost circuit are shown by organization and key", () =>
  withProxy({ costLimitCents: 2 }, async (proxy) => {
    const key = await proxy.createKey({ name: 'my "app"', monthly_token_limit: 1_000_000 });
    // gpt-4o-mini costs 15,000,000 microcents per million input tokens.
    proxy.standIn.next({ body: completion(66_667, 0, "") });
    await proxy.call(CHAT, { key });
    const half = await scrape(proxy);
    expect(samplesOf(half, "inference_proxy_cost_month_microcents")).toEqual({
      '{org="default"}': 1_000_005,
    });
    expect(samplesOf(half, "inference_proxy_cost_limit_microcents")).toEqual({
      '{org="default"}': 2_000_000,
    });
    expect(half.get('inference_proxy_cost_circuit_open{org="default"}')).toBe(0);
    const labels = `org="default",key="${key.id}",name="my \\"app\\""`;
    expect(half.get(`inference_proxy_key_tokens{${labels},kind="used"}`)).toBe(66_667);
    expect(half.get(`inference_proxy_key_tokens{${labels},kind="limit"}`)).toBe(1_000_000);
    proxy.standIn.next({ body: completion(66_667, 0, "") });
    await proxy.call(CHAT, { key });
    expect((await scrape(proxy)).get('inference_proxy_cost_circuit_open{org="default"}')).toBe(1);
  }));

test("models that clients invent are counted together once there are too many", () =>
  withProxy({ costLimitCents: 1_000_000_000 }, async (proxy) => {
    for (let index = 0; index < 203; index += 1)
      await proxy.call({ ...CHAT, model: `openai/model-${index}` });
    const requests = samplesOf(await scrape(proxy), "inference_proxy_requests_total");
    expect(Object.keys(requests)).toHaveLength(201);
    expect(requests['{operation="chat",provider="openai",model="other",code="200"}']).toBe(3);
    await proxy.call({ ...CHAT, model: "openai/model-0" });
    const again = samplesOf(await scrape(proxy), "inference_proxy_requests_total");
    expect(again['{operation="chat",provider="openai",model="model-0",code="200"}']).toBe(2);
  }));

test("models that no provider knows do not crowd out those that answer", () =>
  withProxy({ costLimitCents: 1_000_000_000 }, async (proxy) => {
    for (let status = 430; status < 533; status += 1)
      await proxy.call({ ...CHAT, model: `openai/error-${status}` });
    await proxy.call(CHAT);
    const requests = samplesOf(await scrape(proxy), "inference_proxy_requests_total");
    const line = (model: string, code: string) =>
      `{operation="chat",provider="openai",model="${model}",code="${code}"}`;
    expect(Object.keys(requests)).toHaveLength(102);
    expect(requests[line("other", "upstream_error")]).toBe(3);
    expect(requests[line("gpt-4o-mini", "200")]).toBe(1);
  }));

test("a ledger that cannot be written shows in the metrics and makes the proxy unready, until it can be", () =>
  withProxy({}, async (proxy) => {
    const ready = async () => {
      const response = await fetch(`${proxy.url}/readyz`);
      return [response.status, await response.text()] as const;
    };
    const other = new Database(join(proxy.dataDir, "inference-proxy.db"));
    try {
      other.run("begin immediate");
      expect((await proxy.call()).json.error.code).toBe("overloaded");
      expect(await ready()).toEqual([503, "cannot write the ledger\n"]);
      expect((await fetch(`${proxy.url}/healthz`)).status).toBe(503);
      expect((await fetch(`${proxy.url}/livez`)).status).toBe(200);
      const samples = parseSamples(await scrapeText(proxy));
      expect(samples.get("inference_proxy_ledger_writable")).toBe(0);
      other.run("rollback");
      expect(await ready()).toEqual([200, "ok\n"]);
      expect((await scrape(proxy)).get("inference_proxy_ledger_writable")).toBe(1);
    } finally {
      other.close();
    }
  }));

const folder = openFolder();
const tokenFile = join(folder.path, "token");
writeFileSync(tokenFile, "metrics-token-0123\n");
const guarded = await proxyForTests({ flags: ["--metrics-token-file", tokenFile] });
folder[Symbol.dispose]();

describe("the metrics of a proxy with a token", () => {
  const read = async (headers: Record<string, string>) =>
    fetch(`${guarded.url}/metrics`, { headers });

  test("are read with it, also through a proxy on this machine", async () => {
    const authorization = "Bearer metrics-token-0123";
    const response = await read({ authorization, "x-forwarded-for": "192.0.2.1" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await response.text()).toContain("inference_proxy_build_info");
  });

  test("are refused to others, and the answer says how", async () => {
    const response = await read({ authorization: "Bearer no", "x-forwarded-for": "192.0.2.1" });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await response.text()).not.toContain("inference_proxy_build_info");
  });

  test("are read by programs of this machine without it", async () => {
    expect((await read({})).status).toBe(200);
  });
});

test("without a token the metrics are for programs of this machine", () =>
  withProxy({}, async (proxy) => {
    const read = (headers: Record<string, string>) => fetch(`${proxy.url}/metrics`, { headers });
    expect((await read({})).status).toBe(200);
    expect((await read({ "x-forwarded-for": "192.0.2.1" })).status).toBe(403);
    expect((await read({ host: "elsewhere.example" })).status).toBe(403);
  }));

test("the metrics are only read", () =>
  withProxy({}, async (proxy) => {
    const posted = await fetch(`${proxy.url}/metrics`, { method: "POST" });
    expect(posted.status).toBe(404);
    expect((await fetch(`${proxy.url}/metrics`, { method: "HEAD" })).status).toBe(200);
  }));
