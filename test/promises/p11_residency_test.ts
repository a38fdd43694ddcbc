import { afterAll, describe, expect, test } from "bun:test";
import type { ProviderId } from "../../src/domain/provider.ts";
import {
  CHAT,
  completion,
  type DataPlane,
  proxyForTests,
  withProxy,
} from "../support/data_plane.ts";
import { rawAnswer, type RawUpstream, startRawUpstream } from "../support/raw_http.ts";

// P11: of an organization that allows EU-resident routes only, not one byte goes to any other host.

const EMBEDDINGS = {
  object: "list",
  model: "m",
  data: [{ object: "embedding", index: 0, embedding: [0.1] }],
  usage: { prompt_tokens: 5, total_tokens: 5 },
};

/** Starts an upstream that answers everything well. */
async function startEager(): Promise<RawUpstream> {
  const upstream = await startRawUpstream();
  upstream.serve = (socket) => void socket.write(rawAnswer(200, JSON.stringify(completion(5, 3))));
  afterAll(() => upstream.stop());
  return upstream;
}

const inEu = await startEager();
const elsewhere = await startEager();

const EU_HOST = `eu.gateway.test:${new URL(inEu.url).port}`;
const OTHER_HOST = `us.gateway.test:${new URL(elsewhere.url).port}`;

/** Every name that was looked up. Each leads to loopback, where nobody listens on the providers' own port. */
const lookups: string[] = [];

const proxy = await proxyForTests({
  upstream: inEu.url,
  providers: [],
  flags: [
    EU_HOST,
    OTHER_HOST,
    new URL(elsewhere.url).host,
    // So that a call to a provider's own host would go as far as it can.
    "api.openai.com:443",
    "api.anthropic.com:443",
    "api.groq.com:443",
    "api.mistral.ai:443",
    "api.eu.mistral.ai:443",
    "eu.api.openai.com:443",
    "my-resource.openai.azure.com:443",
  ].flatMap((host) => ["--allow-upstream", host]),
  lookup: async (name) => {
    lookups.push(name);
    return ["127.0.0.1"];
  },
});
await proxy.settings({ eu_only: true });

/** What came of one call: its status and code, whom it asked for, and whom it reached. */
async function outcomeOf(model: string, path = "/chat/completions", stream = false) {
  const before = { eu: inEu.count(), other: elsewhere.count(), lookups: lookups.length };
  const body = path === "/embeddings" ? { model, input: "hi" } : { ...CHAT, model, stream };
  const { status, json } = await proxy.call(body, { path });
  return {
    status,
    code: json?.error?.code ?? null,
    inEu: inEu.count() - before.eu,
    elsewhere: elsewhere.count() - before.other,
    lookups: lookups.slice(before.lookups),
  };
}

const REFUSED = {
  status: 403,
  code: "eu_residency_unavailable",
  inEu: 0,
  elsewhere: 0,
  lookups: [],
};

const PATHS: readonly (readonly [path: string, stream: boolean])[] = [
  ["/chat/completions", false],
  ["/chat/completions", true],
  ["/embeddings", false],
];

interface Route {
  readonly name: string;
  readonly provider: ProviderId;
  /** What the provider config says besides its key. */
  readonly config: { readonly base_url?: string | undefined; readonly eu_endpoint?: boolean };
}

const NOT_RESIDENT: readonly Route[] = [
  { name: "openai's default", provider: "openai", config: {} },
  { name: "anthropic's default", provider: "anthropic", config: {} },
  { name: "groq's default", provider: "groq", config: {} },
  {
    name: "a host that looks European",
    provider: "openai",
    config: { base_url: "https://eu.api.openai.com/v1" },
  },
  { name: "a gateway", provider: "openai", config: { base_url: `http://${EU_HOST}/v1` } },
  {
    name: "mistral's own hosts, when named by the organization",
    provider: "mistral",
    config: { base_url: "https://api.eu.mistral.ai/v1" },
  },
  { name: "mistral elsewhere", provider: "mistral", config: { base_url: `${elsewhere.url}/v1` } },
  {
    name: "a resource of Azure",
    provider: "azure_openai",
    config: { base_url: "https://my-resource.openai.azure.com" },
  },
  { name: "Azure elsewhere", provider: "azure_openai", config: { base_url: elsewhere.url } },
];

describe("a route that is not EU-resident", () => {
  test.each(NOT_RESIDENT)("P11: $name is refused, and nobody is even asked for", async (route) => {
    const { provider, config } = route;
    expect((await configure(provider, config)).status).toBe(200);
    for (const [path, stream] of PATHS) {
      if (provider === "anthropic" && path === "/embeddings") continue;
      expect(await outcomeOf(`${provider}/some-model`, path, stream)).toEqual(REFUSED);
    }
    const models = await proxy.call(null, { method: "GET", path: "/models" });
    const owners = models.json.data.map(({ id }: { id: string }) => id.split("/")[0]);
    expect(owners).not.toContain(provider);
  });

  test.each(["openai", "anthropic", "groq"] as const)(
    "P11: %s cannot be attested without saying which host it is",
    async (provider) => {
      const { status, body } = await configure(provider, { eu_endpoint: true });
      expect(status).toBe(400);
      expect(body.code).toBe("base_url_required");
    },
  );
});

const EU_ROUTES: readonly Route[] = (["openai", "mistral", "groq", "azure_openai"] as const).map(
  (provider) => ({
    name: `${provider} by attestation`,
    provider,
    config: { base_url: `http://${EU_HOST}`, eu_endpoint: true },
  }),
);

describe("a route that is EU-resident", () => {
  test.each(EU_ROUTES)("P11: $name goes to the host that was attested", async (route) => {
    expect((await configure(route.provider, route.config)).status).toBe(200);
    for (const path of ["/chat/completions", "/embeddings"]) {
      const answer = path === "/embeddings" ? EMBEDDINGS : completion(5, 3);
      inEu.serve = (socket) => void socket.write(rawAnswer(200, JSON.stringify(answer)));
      const outcome = await outcomeOf(`${route.provider}/some-model`, path);
      expect(outcome).toMatchObject({ status: 200, inEu: 1, elsewhere: 0 });
      expect(outcome.lookups.every((name) => name === "eu.gateway.test")).toBe(true);
    }
  });

  test("P11: mistral's default is its EU host, and its other host is never asked for", async () => {
    expect((await configure("mistral", {})).status).toBe(200);
    for (const [path, stream] of PATHS) {
      proxy.pass(3_600_000);
      const outcome = await outcomeOf("mistral/mistral-small-latest", path, stream);
      expect(outcome).toMatchObject({ inEu: 0, elsewhere: 0 });
      expect(outcome.lookups).toEqual(["api.eu.mistral.ai"]);
    }
  });

  test("P11: a redirect does not lead out, and a failure is not tried elsewhere", async () => {
    expect((await configure("openai", EU_ROUTES[0]?.config ?? {})).status).toBe(200);
    const location = `http://${OTHER_HOST}/v1/chat/completions`;
    for (const status of [301, 302, 307, 308, 429, 500, 503]) {
      inEu.serve = (socket) => void socket.write(rawAnswer(status, "{}", { location }));
      const outcome = await outcomeOf("openai/some-model");
      expect(outcome).toMatchObject({ status: 502, inEu: 1, elsewhere: 0 });
      expect(outcome.lookups).not.toContain("us.gateway.test");
    }
    inEu.serve = (socket) => void socket.resetAndDestroy();
    expect(await outcomeOf("openai/some-model")).toMatchObject({
      status: 502,
      inEu: 1,
      elsewhere: 0,
    });
  });
});

test("P11: what is decided holds for the call: a switch to eu_only beside calls lets none out after it", async () => {
  const options = { upstream: elsewhere.url, providers: ["openai"] as const };
  await withProxy(options, async (other) => {
    for (let round = 0; round < 10; round += 1) {
      await other.settings({ eu_only: false });
      const reached = elsewhere.count();
      const calls = Array.from({ length: 10 }, () => other.call());
      await other.settings({ eu_only: true });
      const after = await Promise.all(Array.from({ length: 10 }, () => other.call()));
      for (const { status } of after) expect(status).toBe(403);
      const before = await Promise.all(calls);
      const answered = before.filter(({ status }) => status === 200).length;
      for (const { status } of before) expect([200, 403]).toContain(status);
      expect(elsewhere.count() - reached).toBe(answered);
    }
  });
});

/** Configures a provider with its own default, unless the config says otherwise. */
function configure(
  provider: ProviderId,
  config: Route["config"],
): ReturnType<DataPlane["configure"]> {
  return proxy.configure(provider, { base_url: undefined, ...config });
}
