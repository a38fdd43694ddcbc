import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { PROVIDER_IDS, type ProviderId } from "../../src/domain/provider.ts";
import { type AnyJson, DataPlane, PROVIDER_KEY, until } from "../support/data_plane.ts";
import { rawAnswer, startRawUpstream } from "../support/raw_http.ts";

const proxy = await DataPlane.open({ providers: PROVIDER_IDS });
afterAll(() => proxy.close());

const run = async (plane: DataPlane, provider: ProviderId = "openai"): Promise<AnyJson> =>
  (await plane.manage("POST", `/providers/${provider}/test`)).body;

describe("a provider that answers", () => {
  test.each([
    ["openai", "/v1/models", "authorization", 3],
    ["anthropic", "/v1/models?limit=1000", "x-api-key", 2],
    ["mistral", "/mistral/v1/models", "authorization", 2],
    ["azure_openai", "/azure/openai/v1/models", "api-key", 1],
    ["groq", "/groq/openai/v1/models", "authorization", 1],
  ] as const)("%s is asked at %s, with its key", async (provider, path, header, models) => {
    const trial = await run(proxy, provider);
    expect(trial).toEqual({
      ok: true,
      provider,
      host: proxy.standIn.address,
      address: "127.0.0.1",
      status: 200,
      duration_ms: 0,
      models,
      eu_resident: false,
      message: `It takes the key and lists ${models} model${models === 1 ? "" : "s"}`,
    });
    const asked = proxy.standIn.requests.at(-1);
    expect(asked).toMatchObject({ method: "GET", path, body: "" });
    expect(asked?.headers[header]).toEndWith(PROVIDER_KEY);
    expect(asked?.headers["user-agent"]).toBe("inference-proxy");
    expect(asked?.headers["anthropic-version"] !== undefined).toBe(provider === "anthropic");
  });

  test("Azure's older interface has its own list", async () => {
    const base_url = `${proxy.standIn.url}/azure?api-version=2024-10-21`;
    await proxy.configure("azure_openai", { base_url });
    expect(await run(proxy, "azure_openai")).toMatchObject({ ok: true, models: 1 });
    expect(proxy.standIn.requests.at(-1)?.path).toBe("/azure/openai/models?api-version=2024-10-21");
  });

  test("one that is disabled is asked all the same", async () => {
    await proxy.configure("groq", { enabled: false });
    expect(await run(proxy, "groq")).toMatchObject({ ok: true });
  });

  test("is no call: it is in no ledger and needs no settings", async () => {
    const plane = await DataPlane.open({ costLimitCents: null });
    expect(await run(plane)).toMatchObject({ ok: true });
    expect(await plane.calls()).toEqual([]);
    await plane.close();
  });
});

const upstream = await startRawUpstream();
afterAll(() => upstream.stop());

/** Name servers of a test. */
const names = { answer: (): Promise<readonly string[]> => Promise.resolve(["127.0.0.1"]) };
const { port } = new URL(upstream.url);
const raw = await DataPlane.open({
  upstream: `http://gateway.test:${port}`,
  lookup: () => names.answer(),
});
afterAll(() => raw.close());
afterEach(() => {
  names.answer = () => Promise.resolve(["127.0.0.1"]);
});

const answer = (text: string) => {
  upstream.serve = (socket) => void socket.write(text);
};
const error = (message: string) => JSON.stringify({ error: { message } });

describe("a provider that does not take the key", () => {
  test("says so in its own words, but for the key and whatever moves a cursor", async () => {
    const said = `Incorrect key: ${PROVIDER_KEY} \u001b[2Jfor\r\nyou\u202e at gateway.test:${port}`;
    answer(rawAnswer(401, error(said)));
    expect(await run(raw)).toMatchObject({
      ok: false,
      host: `gateway.test:${port}`,
      status: 401,
      models: null,
      message:
        "Cannot use provider: it refuses the key with status 401: Incorrect key: [redacted] [2Jfor you at [redacted]",
    });
    expect(JSON.stringify(await run(raw))).not.toContain(PROVIDER_KEY.slice(0, 12));
  });

  test("is quoted in part only", async () => {
    answer(rawAnswer(500, error("x".repeat(5000))));
    const { message } = await run(raw);
    expect(message).toMatch(/^Cannot use provider: it fails with status 500: x{300}$/);
  });

  test("is not followed elsewhere", async () => {
    const head = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    answer(head);
    const { ok, message } = await run(raw);
    expect(ok).toBe(false);
    expect(message).toContain("a redirect, which is not followed, with status 302");
  });
});

test.each(["<html>Hello</html>", "[]", '{"object":"list"}', '{"data":{}}', ""])(
  "an answer of %p is no list of models",
  async (body) => {
    answer(rawAnswer(200, body));
    expect(await run(raw)).toMatchObject({ ok: false, status: 200, models: null });
  },
);

test("a list without end is not read to it", async () => {
  upstream.serve = (socket) => {
    socket.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n");
    const more = () => {
      while (!socket.destroyed && socket.write("x".repeat(65_536)));
    };
    socket.on("drain", more);
    more();
  };
  expect(await run(raw)).toMatchObject({ ok: true, models: null, message: "It takes the key" });
});

describe("a provider that cannot be reached", () => {
  const codes: readonly (readonly [code: string, says: string])[] = [
    ["DNS_ENOTFOUND", "its host has no address"],
    ["EAI_AGAIN", "the name servers do not answer"],
    ["EOTHER", "it failed"],
  ];
  test.each(codes)("with %s: %s", async (code, says) => {
    names.answer = () => Promise.reject(Object.assign(new Error("no"), { code }));
    raw.pass(1_000);
    const trial = await run(raw);
    expect(trial).toMatchObject({ ok: false, status: null, models: null });
    expect(trial).not.toHaveProperty("address");
    expect(trial.message).toBe(`Cannot reach provider: ${says} (${code})`);
  });

  test("is tried at another address as well", async () => {
    raw.pass(1_000);
    names.answer = () => Promise.resolve(["127.0.0.2", "127.0.0.1"]);
    answer(rawAnswer(200, '{"data":[]}'));
    expect(await run(raw)).toMatchObject({ ok: true, address: "127.0.0.1", models: 0 });
    names.answer = () => Promise.resolve(["127.0.0.2", "127.0.0.3"]);
    expect(await run(raw)).toMatchObject({
      ok: false,
      address: "127.0.0.3",
      message: expect.stringMatching(/nothing listens at its address/),
    });
  });

  test("is not asked at an address that calls must not go to, which stays untold", async () => {
    raw.pass(1_000);
    names.answer = () => Promise.resolve(["169.254.169.254"]);
    const trial = await run(raw);
    expect(trial.message).toMatch(/an address that calls must not go to \(never\)$/);
    expect(JSON.stringify(trial)).not.toContain("169.254");
  });

  test("has ten seconds for all of its answer, and is not asked twice meanwhile", async () => {
    raw.pass(1_000);
    const arrived = Promise.withResolvers<void>();
    upstream.serve = (socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{");
      arrived.resolve();
    };
    const trial = run(raw);
    await arrived.promise;
    const second = await raw.manage("POST", "/providers/openai/test");
    expect(second).toMatchObject({ status: 409, body: { code: "test_under_way" } });
    raw.pass(9_999);
    let isOver = false;
    void trial.then(() => {
      isOver = true;
    });
    await raw.manage("GET", "/keys");
    expect(isOver).toBe(false);
    raw.pass(1);
    expect(await trial).toMatchObject({ ok: false, duration_ms: 10_000, models: null });
    expect((await trial).message).toBe("Cannot reach provider: it did not answer within 10 s");
    answer(rawAnswer(200, '{"data":[]}'));
    expect(await run(raw)).toMatchObject({ ok: true });
  });

  test("so do its name servers", async () => {
    raw.pass(1_000);
    const asked = Promise.withResolvers<void>();
    const late = Promise.withResolvers<readonly string[]>();
    names.answer = () => {
      asked.resolve();
      return late.promise;
    };
    const trial = run(raw);
    await asked.promise;
    raw.pass(10_000);
    expect(await trial).toMatchObject({ ok: false, status: null });
    late.resolve([]);
  });
});

describe("residency", () => {
  test("is said and not judged, and the EU's own host is asked as by calls", async () => {
    const asked: string[] = [];
    const plane = await DataPlane.open({
      providers: [],
      lookup: (name) => {
        asked.push(name);
        return Promise.reject(Object.assign(new Error("no"), { code: "EAI_AGAIN" }));
      },
    });
    for (const provider of ["openai", "mistral"] as const)
      await plane.configure(provider, { base_url: null });
    expect(await run(plane, "mistral")).toMatchObject({ eu_resident: true });
    await plane.settings({ eu_only: true });
    expect(await run(plane, "mistral")).toMatchObject({ eu_resident: true });
    expect(await run(plane, "openai")).toMatchObject({ eu_resident: false });
    expect(asked).toEqual(["api.mistral.ai", "api.eu.mistral.ai", "api.openai.com"]);
    await plane.close();
  });
});

test("a config whose host the operator does not allow any more is not used", async () => {
  const plane = await DataPlane.open();
  await plane.restart({ flags: [] });
  const before = plane.standIn.count;
  const trial = await run(plane);
  expect(trial).toMatchObject({ ok: false, status: null });
  expect(trial.message).toMatch(/must be entered again$/);
  expect(plane.standIn.count).toBe(before);
  await until(() => plane.logged.includes("cannot use provider config"));
  await plane.close();
});
