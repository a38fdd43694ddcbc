import { afterAll, describe, expect, test } from "bun:test";
import { refuseOtherHost } from "../../src/management_plane/own_host.ts";
import { ADMIN_PASSWORD, openTestApp, type TestApp } from "../support/app.ts";
import { exchangeRaw } from "../support/raw_http.ts";

const NAMES = new Set(["proxy.example"]);

/** Asks under a host, as a unit. Returns the refusal's status and body, or null. */
async function refusal(host: string | null) {
  const headers = host === null ? new Headers() : new Headers({ host });
  const request = new Request("http://proxy.example/organizations", { headers });
  const response = refuseOtherHost(request, NAMES);
  return response && { status: response.status, body: await response.json() };
}

describe("refuseOtherHost()", () => {
  test.each(["proxy.example", "proxy.example:8080", "localhost:8080", "127.0.0.1", "[::1]:8080"])(
    "lets %s through",
    async (host) => {
      expect(await refusal(host)).toBeNull();
    },
  );

  test("tells another name what its operator can do", async () => {
    expect(await refusal("Other.example:8080")).toEqual({
      status: 421,
      body: {
        error:
          'Cannot answer for host "Other.example": it is not known to be this one; ' +
          "its operator can add it with --host-name Other.example",
        code: "unknown_host",
      },
    });
  });

  test.each([null, "", "proxy.example, proxy.example", "a b", "proxy.example/", "x@proxy.example"])(
    "takes %p for malformed",
    async (host) => {
      expect(await refusal(host)).toMatchObject({
        status: 400,
        body: { code: "invalid_request" },
      });
    },
  );
});

const BASIC = `Authorization: Basic ${btoa(`admin:${ADMIN_PASSWORD}`)}`;

const apps: TestApp[] = [
  await openTestApp(),
  await openTestApp({ flags: ["--host-name", "Console.Example"] }),
];
const [plain, named] = apps.map(({ url }) => url);
afterAll(async () => {
  for (const app of apps) await app.close();
});

/** Sends a request line and header lines. Returns the status. */
async function ask(url: string | undefined, ...lines: string[]): Promise<number> {
  const text = [...lines, "Connection: close", "", ""].join("\r\n");
  return Number(/^HTTP\/1\.1 (\d+)/.exec(await exchangeRaw(url ?? "", text))?.[1]);
}

const LIST = "GET /organizations HTTP/1.1";

test("the management plane answers under addresses and localhost, whatever port was forwarded", async () => {
  for (const host of ["localhost:9999", "127.0.0.1", "[::1]:80", "192.0.2.7:8080"])
    expect(await ask(plain, LIST, `Host: ${host}`, BASIC)).toBe(200);
});

test("it answers under no other name, whoever asks, until the operator says so", async () => {
  for (const line of [
    LIST,
    "GET /organizations/x/inference/keys HTTP/1.1",
    "DELETE /organizations HTTP/1.1",
  ])
    expect(await ask(plain, line, "Host: console.example", BASIC)).toBe(421);
  expect(await ask(plain, LIST, "Host: console.example")).toBe(421);
  expect(await ask(named, LIST, "Host: console.example:443", BASIC)).toBe(200);
  expect(await ask(named, LIST, "Host: other.example", BASIC)).toBe(421);
});

test("calls and probes are served under every name: a key protects them, or nothing needs to be", async () => {
  expect(await ask(plain, "GET /livez HTTP/1.1", "Host: other.example")).toBe(200);
  expect(await ask(plain, "GET /readyz HTTP/1.0")).toBe(200);
  expect(await ask(plain, "GET /inference/v1/models HTTP/1.1", "Host: other.example")).toBe(401);
});
