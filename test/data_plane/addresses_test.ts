import { afterAll, describe, expect, test } from "bun:test";
import { CHAT, completion, DataPlane, until } from "../support/data_plane.ts";
import { rawAnswer, startRawUpstream } from "../support/raw_http.ts";

const upstream = await startRawUpstream();
afterAll(() => upstream.stop());
const { port } = new URL(upstream.url);

/** Nothing listens there. The upstream listens on one address of loopback only. */
const DEAD = "127.0.0.2";
const DEADER = "127.0.0.3";
const ALIVE = "127.0.0.1";

/** Name servers of a test: what they answer, and what they were asked. */
const names = {
  asked: 0,
  answer: (): Promise<readonly string[]> => Promise.resolve([ALIVE]),
};

const proxy = await DataPlane.open({
  upstream: `http://gateway.test:${port}`,
  flags: ["--upstream-headers-timeout-s", "60"],
  lookup: () => {
    names.asked += 1;
    return names.answer();
  },
});
afterAll(() => proxy.close());

/** Begins a test: nothing is known of the host any more, and the upstream answers. */
async function begin(...addresses: string[]): Promise<{ asked: number; served: number }> {
  proxy.pass(3_600_000);
  // A refused address is forgotten at once, with all others.
  names.answer = () => Promise.resolve(["0.0.0.0"]);
  await proxy.call();
  proxy.pass(1_000);
  names.answer = () => Promise.resolve(addresses);
  upstream.serve = (socket) => void socket.write(rawAnswer(200, JSON.stringify(completion(5, 3))));
  return { asked: names.asked, served: upstream.count() };
}

async function lastCall() {
  await proxy.idle();
  return (await proxy.calls()).at(-1);
}

describe("a host with a name", () => {
  test("is looked up once for many calls, and called under its name", async () => {
    const before = await begin(ALIVE);
    let head = "";
    upstream.serve = (socket) => {
      socket.once("data", (data) => {
        head = data.toString("latin1");
      });
      socket.write(rawAnswer(200, JSON.stringify(completion(5, 3))));
    };
    const answers = await Promise.all(Array.from({ length: 20 }, () => proxy.call()));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(names.asked - before.asked).toBe(1);
    // The next request on a connection that was kept shows its head.
    for (let call = 0; call < 20; call += 1) await proxy.call();
    expect(head).toMatch(new RegExp(`^host: gateway\\.test:${port}\r$`, "im"));
    expect(names.asked - before.asked).toBe(1);
  });

  test("is called at its second address if the first refuses, and stays there", async () => {
    const before = await begin(DEAD, ALIVE);
    expect((await proxy.call()).status).toBe(200);
    expect((await proxy.call({ ...CHAT, stream: false })).status).toBe(200);
    expect(upstream.count() - before.served).toBe(2);
    expect(names.asked - before.asked).toBe(1);
    expect(await lastCall()).toMatchObject({ state: "posted", ending: "completed" });
  });

  test("is not tried at a third address by the same call", async () => {
    const before = await begin(DEAD, DEADER, ALIVE);
    expect((await proxy.call()).status).toBe(502);
    expect(await lastCall()).toMatchObject({ state: "voided", ending: "upstream_failed" });
    expect((await proxy.call()).status).toBe(200);
    expect(names.asked - before.asked).toBe(1);
  });

  test("is looked up anew after its last address has failed", async () => {
    const before = await begin(DEAD);
    expect((await proxy.call()).status).toBe(502);
    expect(await lastCall()).toMatchObject({ state: "voided" });
    names.answer = () => Promise.resolve([ALIVE]);
    expect((await proxy.call()).status).toBe(200);
    expect(names.asked - before.asked).toBe(2);
  });

  test("is never sent a call twice that may have arrived", async () => {
    const before = await begin(ALIVE, "127.0.0.1");
    upstream.serve = (socket) => void socket.resetAndDestroy();
    expect((await proxy.call()).status).toBe(502);
    expect(upstream.count() - before.served).toBe(1);
    expect(await lastCall()).toMatchObject({ state: "posted", estimated: 1 });
  });
});

/** Lets connections to one address end by silence, as the network does after minutes. */
async function withSilence(address: string, run: () => Promise<void>): Promise<void> {
  const real = globalThis.fetch;
  const late = Object.assign(new Error("Unable to connect"), { code: "ETIMEDOUT" });
  const silent: typeof fetch = Object.assign(
    (...[input, init]: Parameters<typeof fetch>) =>
      String(input).startsWith(`http://${address}:`) ? Promise.reject(late) : real(input, init),
    { preconnect: real.preconnect },
  );
  globalThis.fetch = silent;
  try {
    await run();
  } finally {
    globalThis.fetch = real;
  }
}

test("an address that is silent is left for the next call, but not tried twice by the same", async () => {
  const before = await begin(DEAD, ALIVE);
  await withSilence(DEAD, async () => {
    expect((await proxy.call()).status).toBe(502);
    expect(upstream.count()).toBe(before.served);
    // Silence does not say whether anything arrived.
    expect(await lastCall()).toMatchObject({ state: "posted", estimated: 1 });
    expect((await proxy.call()).status).toBe(200);
  });
  expect(names.asked - before.asked).toBe(1);
});

describe("a host that is not found", () => {
  const DOWN = Object.assign(new Error("No answer"), { code: "EAI_AGAIN" });

  test.each([false, true])("is a 502, and nothing is charged (stream: %p)", async (stream) => {
    const before = await begin();
    names.answer = () => Promise.reject(DOWN);
    const answer = await proxy.call({ ...CHAT, stream });
    expect(answer.status).toBe(502);
    expect(answer.json.error).toMatchObject({
      message: "Cannot reach the provider",
      code: "upstream_error",
      upstream_status: null,
    });
    expect(answer.headers.get("x-should-retry")).toBe("true");
    expect(answer.text).not.toContain("gateway");
    expect(await lastCall()).toMatchObject({ state: "voided", ending: "upstream_failed" });
    expect(upstream.count()).toBe(before.served);
    expect(proxy.logged).toMatch(
      /"cannot reach provider".*"host":"gateway\.test:\d+","error":"EAI_AGAIN"/,
    );
  });

  test("does not stop calls that are known to get through", async () => {
    await begin(ALIVE);
    expect((await proxy.call()).status).toBe(200);
    names.answer = () => Promise.reject(DOWN);
    proxy.pass(120_000);
    expect((await proxy.call()).status).toBe(200);
    await until(() => proxy.logged.includes("cannot look host up again"));
    expect((await proxy.call()).status).toBe(200);
  });
});

describe("a lookup that does not end", () => {
  const silence = () => new Promise<never>(() => {});

  test("is a 504 in the time that a provider has, and nothing is charged", async () => {
    const before = await begin();
    names.answer = silence;
    const answering = proxy.call();
    await until(() => names.asked > before.asked);
    proxy.pass(59_999);
    expect(proxy.app.callsInFlight).toBe(1);
    proxy.pass(1);
    const answer = await answering;
    expect(answer.status).toBe(504);
    expect(answer.json.error.code).toBe("upstream_timeout");
    expect(await lastCall()).toMatchObject({ state: "voided", upstream_status: null });
  });

  test("does not keep the call of a client that has left", async () => {
    const fresh = await DataPlane.open({
      upstream: `http://gateway.test:${port}`,
      lookup: silence,
    });
    try {
      const controller = new AbortController();
      const answering = fresh.send(CHAT, { signal: controller.signal }).catch(() => null);
      await until(() => fresh.app.callsInFlight === 1);
      controller.abort();
      await answering;
      await fresh.idle();
      const [row] = await fresh.calls();
      expect(row).toMatchObject({ state: "voided", ending: "client_closed" });
    } finally {
      await fresh.close();
    }
  });
});
