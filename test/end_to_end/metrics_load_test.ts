import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { openProxy, PROVIDER_KEY, type TestProxy, type UsageRow } from "../support/proxy.ts";
import { parseSamples, type Samples, scrapeText } from "../support/scrape.ts";

setDefaultTimeout(60_000);

/** What clients say, which no metric may repeat. */
const PROMPT = "a secret plan of the canary";

/** How many clients call at the same time, and how often each goes through every kind of call. */
const CLIENTS = 6;
const ROUNDS = 8;

/** How many scrapes are given to promtool, which takes a while for each. */
const CHECKED_SCRAPES = 8;

const messages = [{ role: "user", content: PROMPT }];
const chat = (model: string, more: object = {}) => ({ model, messages, ...more });
const STREAM = { stream: true };

/** A kind of request: what is sent, with which key, and what its client may be told. */
interface Kind {
  readonly body: object;
  readonly path?: string;
  readonly key?: "wrong" | "spent" | "rare";
  readonly code: string;
  /** What it is told if the provider was faster. */
  readonly otherwise?: string;
}

const KINDS: readonly Kind[] = [
  { body: chat("openai/gpt-4o-mini"), code: "200" },
  { body: chat("openai/gpt-4o-mini", STREAM), code: "200" },
  { body: chat("anthropic/claude-sonnet-4-5"), code: "200" },
  { body: chat("anthropic/claude-sonnet-4-5", STREAM), code: "200" },
  { body: chat("mistral/mistral-small-latest", STREAM), code: "200" },
  { body: chat("groq/llama-3.3-70b-versatile"), code: "200" },
  { body: chat("azure_openai/my-deployment", STREAM), code: "200" },
  { body: chat("openai/no-price-known"), code: "200" },
  {
    body: { model: "openai/text-embedding-3-small", input: PROMPT },
    path: "/embeddings",
    code: "200",
  },
  { body: chat("openai/error-429"), code: "upstream_error" },
  { body: chat("anthropic/error-529", STREAM), code: "upstream_error" },
  {
    body: chat("openai/cut-off", STREAM),
    code: "upstream_stream_interrupted",
    otherwise: "upstream_error",
  },
  { body: chat("openai/gpt-4o-mini"), key: "wrong", code: "invalid_key" },
  { body: chat("gpt-4o-mini"), code: "invalid_model" },
  { body: chat("openai/gpt-4o-mini"), key: "spent", code: "token_ceiling_exceeded" },
  { body: chat("openai/gpt-4o-mini"), key: "rare", code: "rate_limited" },
  { body: chat("openai/gpt-4o-mini"), path: "/nowhere", code: "unknown_url" },
];

/** The codes with which the proxy itself refuses some of them. */
const OWN_REFUSALS = new Set(
  KINDS.map(({ code }) => code).filter((code) => !/^(200$|upstream_)/.test(code)),
);

let proxy: TestProxy;
let secrets: Record<"usual" | "wrong" | "spent" | "rare", string>;
/** How often clients were told each code. */
const told = new Map<string, number>();
const scrapes: string[] = [];
let last: Samples;
let usage: UsageRow[];

/** Calls, reads the answer to its end, however it ends, and notes what was told. */
async function call(kind: Kind): Promise<void> {
  const { body, path = "/chat/completions", key = "usual" } = kind;
  const response = await fetch(proxy.baseUrl + path, {
    method: "POST",
    headers: {
      authorization: `Bearer ${secrets[key]}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const code = /"code":"([a-z_]+)"/.exec(text)?.[1] ?? String(response.status);
  if (code !== kind.code && code !== kind.otherwise)
    throw new Error(`${JSON.stringify(kind)} ended with ${code}`);
  told.set(code, (told.get(code) ?? 0) + 1);
}

/** Makes every kind of call again and again, in an order of its own. */
async function keepCalling(client: number): Promise<void> {
  for (let at = 0; at < ROUNDS * KINDS.length; at += 1) {
    const kind = KINDS[(at * (client + 1) + client) % KINDS.length];
    if (kind !== undefined) await call(kind);
  }
}

beforeAll(async () => {
  proxy = await openProxy();
  await proxy.configure();
  const spent = await proxy.createKey({ monthly_token_limit: 1 });
  const rare = await proxy.createKey({ rate_limit_rpm: 1 });
  const usual = await proxy.createKey();
  secrets = {
    usual: usual.secret,
    spent: spent.secret,
    rare: rare.secret,
    wrong: "fdb-inf-wrong",
  };
  // The first call of a key with a small limit still passes.
  for (const key of ["spent", "rare"] as const)
    await call({ body: chat("openai/gpt-4o-mini"), key, code: "200" });
  let calling = true;
  const clients = Array.from({ length: CLIENTS }, (_, client) => keepCalling(client));
  const done = Promise.all(clients).finally(() => {
    calling = false;
  });
  while (calling) scrapes.push(await scrapeText(proxy.binary));
  await done;
  // What is asked of the ledger waits for every settlement before it.
  usage = await proxy.usage();
  const cost = usage.reduce((total, row) => total + row.cost_microcents, 0);
  // What is read of rows is not read again at once.
  do {
    scrapes.push(await scrapeText(proxy.binary));
    last = parseSamples(scrapes.at(-1) ?? "");
  } while (sum("inference_proxy_cost_month_microcents") < cost);
});

afterAll(() => proxy.close());

/** Adds up the samples of a metric whose labels are these. */
function sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return [...last]
    .filter(([key]) => key.replace(/\{.*/, "") === name)
    .filter(([key]) => wanted.every((pair) => key.includes(pair)))
    .reduce((total, [, value]) => total + value, 0);
}

test("scrapes under load were many, and none was cut short", () => {
  expect(scrapes.length).toBeGreaterThan(3);
  for (const text of scrapes) expect(text).toEndWith("\n");
});

describe("from scrape to scrape", () => {
  const isCounted = (key: string) => /_(total|count|sum|bucket)(\{|$)/.test(key);

  test("nothing that is counted falls or vanishes", () => {
    let before: Samples = new Map();
    for (const text of scrapes) {
      const samples = parseSamples(text);
      const fallen = [...before].filter(
        ([key, value]) => isCounted(key) && !((samples.get(key) ?? -1) >= value),
      );
      expect(fallen).toEqual([]);
      before = samples;
    }
  });

  test("the buckets of every histogram rise to its count", () => {
    for (const text of scrapes) {
      const samples = parseSamples(text);
      const series = Map.groupBy(
        [...samples].filter(([key]) => key.includes("_bucket{")),
        ([key]) => key.replace(/,?le="[^"]*"/, "").replace("{}", ""),
      );
      expect(series.size).toBeGreaterThan(2);
      const odd = [...series].filter(([name, buckets]) => {
        const values = buckets.map(([, value]) => value);
        const rises = values.every((value, at) => value >= (values[at - 1] ?? 0));
        return !rises || values.at(-1) !== samples.get(name.replace("_bucket", "_count"));
      });
      expect(odd).toEqual([]);
    }
  });
});

describe("when all calls are over", () => {
  test("each is counted once, by what its client was told", () => {
    // What leads nowhere is refused before it is a call.
    const calls = [...told].filter(([code]) => code !== "unknown_url");
    const counted = calls.map(([code]) => [code, sum("inference_proxy_requests_total", { code })]);
    expect(counted).toEqual(calls);
    const all = calls.reduce((total, [, count]) => total + count, 0);
    expect(all).toBeGreaterThan(CLIENTS * ROUNDS * 10);
    expect(sum("inference_proxy_requests_total")).toBe(all);
    expect(sum("inference_proxy_request_duration_seconds_count")).toBe(all);
    const refusals = [...told].filter(([code]) => OWN_REFUSALS.has(code));
    expect(refusals).toHaveLength(OWN_REFUSALS.size);
    for (const [code, count] of refusals)
      expect([code, sum("inference_proxy_rejections_total", { code })]).toEqual([code, count]);
    const failed =
      (told.get("upstream_error") ?? 0) + (told.get("upstream_stream_interrupted") ?? 0);
    expect(sum("inference_proxy_upstream_errors_total")).toBe(failed);
    expect(sum("inference_proxy_inflight_requests")).toBe(0);
    expect(sum("inference_proxy_holds_pending")).toBe(0);
  });

  test("tokens and cost are those of the bill", () => {
    const billed = (name: keyof UsageRow, rows = usage) =>
      rows.reduce((total, row) => total + Number(row[name]), 0);
    expect(usage.length).toBeGreaterThan(7);
    for (const { provider, group_key: key } of usage) {
      const model = key.slice(provider.length + 1);
      const rows = usage.filter(({ group_key: other }) => other === key);
      const cost = sum("inference_proxy_cost_microcents_total", { provider, model });
      expect([key, cost]).toEqual([key, billed("cost_microcents", rows)]);
    }
    const tokens = (type: string) =>
      sum("gen_ai_client_token_usage_sum", { gen_ai_token_type: type });
    expect(tokens("input")).toBe(billed("input_tokens"));
    expect(tokens("output")).toBe(billed("output_tokens"));
    expect(sum("gen_ai_client_token_usage_count", { gen_ai_token_type: "input" })).toBe(
      billed("calls"),
    );
    expect(sum("inference_proxy_cost_month_microcents")).toBe(billed("cost_microcents"));
    const used = sum("inference_proxy_key_tokens", { kind: "used" });
    expect(used).toBe(billed("total_tokens"));
  });

  test("no label says what a client said, presented or invented", () => {
    const said = [PROMPT, "canary", PROVIDER_KEY, ...Object.values(secrets), "nowhere", "Bearer"];
    const repeated = scrapes.flatMap((text) => said.filter((one) => text.includes(one)));
    expect(repeated).toEqual([]);
  });
});

const promtool = Bun.which("promtool");
const skipped = promtool === null ? " (SKIPPED: promtool is not installed here)" : "";
test.skipIf(promtool === null)(`promtool takes scrapes under load${skipped}`, async () => {
  const step = Math.max(1, Math.floor(scrapes.length / CHECKED_SCRAPES));
  const checked = scrapes.filter((_, at) => at % step === 0 || at === scrapes.length - 1);
  for (const text of checked) {
    const check = Bun.spawn([promtool ?? "", "check", "metrics"], {
      stdin: Buffer.from(text),
      stdout: "pipe",
      stderr: "pipe",
    });
    const said = await Promise.all([check.stdout, check.stderr].map((one) => one.text()));
    expect({ said, exitCode: await check.exited }).toEqual({ said: ["", ""], exitCode: 0 });
  }
});
