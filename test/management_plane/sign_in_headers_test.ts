import { afterAll, describe, expect, test } from "bun:test";
import { ADMIN_PASSWORD, openTestApp } from "../support/app.ts";
import { exchangeRaw } from "../support/raw_http.ts";

// What a header says of who asks, byte by byte over a socket.

const PROXY = "127.0.0.0/8";
const direct = await openTestApp();
const behind = await openTestApp({ flags: ["--trusted-proxy", PROXY] });
afterAll(() => Promise.all([direct.close(), behind.close()]));

const basic = (text: string | Uint8Array) => `Basic ${Buffer.from(text).toString("base64")}`;
const RIGHT = basic(`admin:${ADMIN_PASSWORD}`);

/** Asks with header lines as they stand here, and returns the status. */
async function statusOf(url: string, ...lines: string[]): Promise<number> {
  const head = ["GET /organizations HTTP/1.1", "host: 127.0.0.1", "connection: close", ...lines];
  const answer = await exchangeRaw(url, Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1"));
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
}

const asked = (...lines: string[]) => statusOf(direct.url, ...lines);

describe("credentials", () => {
  const TAKEN: [what: string, ...lines: string[]][] = [
    ["as usual", `Authorization: ${RIGHT}`],
    ["with the scheme in other letters", `authorization: ${RIGHT.replace("Basic", "bASIC")}`],
    ["with more space", `authorization:   ${RIGHT.replace(" ", "   ")}  `],
    ["with the name in other letters", `authorization: ${basic(`ADMIN:${ADMIN_PASSWORD}`)}`],
  ];
  test.each(TAKEN)("are taken %s", async (_, ...lines) => {
    expect(await asked(...lines)).toBe(200);
  });

  const long = (size: number) => "x".repeat(size);
  const REFUSED: [what: string, ...lines: string[]][] = [
    ["not at all"],
    ["twice, both right", `authorization: ${RIGHT}`, `authorization: ${RIGHT}`],
    ["twice, one wrong", `authorization: ${basic("admin:x")}`, `authorization: ${RIGHT}`],
    ["twice in one line", `authorization: ${RIGHT}, ${RIGHT}`],
    ["in another scheme", `authorization: Bearer ${RIGHT.slice(6)}`],
    ["without a colon", `authorization: ${basic("admin")}`],
    ["with a line end in the name", `authorization: ${basic(`admin\n:${ADMIN_PASSWORD}`)}`],
    ["with a zero byte at the end", `authorization: ${basic(`admin:${ADMIN_PASSWORD}\0`)}`],
    ["with a control character of Latin-1", `authorization: ${basic(`admin\u0085:x`)}`],
    ["in bytes that are no UTF-8", `authorization: ${basic(Uint8Array.of(0xff, 0x3a, 0x78))}`],
    ["with a name too long", `authorization: ${basic(`${long(255)}:x`)}`],
    ["with a password too long", `authorization: ${basic(`admin:${long(1025)}`)}`],
    ["in a header too long", `authorization: ${basic(`admin:${long(6000)}`)}`],
    ["in no base64", `authorization: Basic ${RIGHT.slice(6, -4)}!!!!`],
    ["for a proxy", `proxy-authorization: ${RIGHT}`],
    ["in a cookie", `cookie: authorization=${RIGHT}`],
  ];
  test.each(REFUSED)("are refused %s", async (_, ...lines) => {
    expect(await asked(...lines)).toBe(401);
  });

  test("that are malformed cost no attempt: the right ones are still taken", async () => {
    for (const [, ...lines] of REFUSED) await asked(...lines);
    expect(await asked(`authorization: ${RIGHT}`)).toBe(200);
  });
});

describe("X-Forwarded-For", () => {
  const wrong = `authorization: ${basic("admin:wrong")}`;
  const right = `authorization: ${RIGHT}`;
  const from = (address: string) => `x-forwarded-for: ${address}`;

  test("from whoever is no trusted proxy hides nobody from the throttle", async () => {
    const app = await openTestApp();
    const statuses: number[] = [];
    for (let guess = 0; guess < 6; guess += 1)
      statuses.push(await statusOf(app.url, wrong, from(`198.51.100.${guess}`)));
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    await app.close();
  });

  test("from a trusted proxy tells clients apart, who cannot lock each other out", async () => {
    for (let guess = 0; guess < 6; guess += 1)
      await statusOf(behind.url, wrong, from("198.51.100.1"));
    expect(await statusOf(behind.url, right, from("198.51.100.1"))).toBe(429);
    // What a client puts in front changes nothing, in the same line or in another.
    expect(await statusOf(behind.url, right, from("192.0.2.1, 198.51.100.1"))).toBe(429);
    expect(await statusOf(behind.url, right, from("192.0.2.1"), from("198.51.100.1:80"))).toBe(429);
    expect(await statusOf(behind.url, right, from("198.51.100.2"))).toBe(200);
    expect(await statusOf(behind.url, right)).toBe(200);
  });

  test("is what the trail says, and only from a trusted proxy", async () => {
    const put = (url: string, path: string) =>
      fetch(`${url}${path}/inference/settings`, {
        method: "PUT",
        headers: {
          authorization: RIGHT,
          "content-type": "application/json",
          "x-forwarded-for": "192.0.2.66, [2001:DB8::7]:4711, 127.0.0.9",
        },
        body: '{"monthly_cost_limit_cents":5}',
      });
    const seen: unknown[] = [];
    for (const app of [direct, behind]) {
      const listed: { body: { organizations: { id: string }[] } } = await app.manage(
        "GET",
        "/organizations",
      );
      const path = `/organizations/${listed.body.organizations[0]?.id}`;
      expect((await put(app.url, path)).status).toBe(200);
      const trail: { body: { events: { address: string }[] } } = await app.manage(
        "GET",
        `${path}/inference/audit?action=settings.save`,
      );
      seen.push(trail.body.events.map(({ address }) => address));
    }
    expect(seen).toEqual([["127.0.0.1"], ["2001:db8::7"]]);
  });
});
