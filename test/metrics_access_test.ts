import { expect, test } from "bun:test";
import { metricsAccess } from "../src/metrics_access.ts";
import { Secret } from "../src/std/secret.ts";

const TOKEN = new Secret("token-0123456789");
const LOCAL = { host: "127.0.0.1:8080" };
const RIGHT = { authorization: "Bearer token-0123456789" };

const access = (headers: Record<string, string>, address: string, token: Secret | null = null) =>
  metricsAccess(new Headers(headers), address, token);

test.each(["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])(
  "a program of this machine, from %s, may read them without a token",
  (address) => {
    expect(access(LOCAL, address)).toBe("granted");
    expect(access({ host: "localhost:8080" }, address, TOKEN)).toBe("granted");
    expect(access({ host: "[::1]:8080" }, address)).toBe("granted");
  },
);

test.each(["10.0.0.1", "192.0.2.1", "::ffff:10.0.0.1", "2001:db8::1", "1127.0.0.1", ""])(
  "a program elsewhere, at %p, may not read them without a token",
  (address) => {
    expect(access(LOCAL, address)).toBe(403);
    expect(access(LOCAL, address, TOKEN)).toBe(401);
  },
);

test("with the token anybody may read them", () => {
  for (const authorization of ["Bearer token-0123456789", "bearer  token-0123456789"])
    expect(access({ authorization }, "192.0.2.1", TOKEN)).toBe("granted");
  const forwarded = { ...RIGHT, host: "proxy.example", "x-forwarded-for": "192.0.2.1" };
  expect(access(forwarded, "127.0.0.1", TOKEN)).toBe("granted");
});

test.each([
  "Bearer token-012345678",
  "Bearer token-01234567890",
  "Bearer TOKEN-0123456789",
  "Basic token-0123456789",
  "token-0123456789",
  "Bearer",
])("%p is not the token", (authorization) => {
  expect(access({ ...LOCAL, authorization }, "192.0.2.1", TOKEN)).toBe(401);
});

test("no token is right if there is none", () => {
  expect(access(RIGHT, "192.0.2.1")).toBe(403);
});

test.each(["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"])(
  "a proxy on this machine that says so by %s asks for others",
  (name) => {
    expect(access({ ...LOCAL, [name]: "for=192.0.2.1" }, "127.0.0.1")).toBe(403);
    expect(access({ ...LOCAL, [name]: "for=192.0.2.1" }, "127.0.0.1", TOKEN)).toBe(401);
  },
);

test("a page in a browser, whose name was made to point here, may not read them", () => {
  expect(access({ host: "attacker.example:8080" }, "127.0.0.1")).toBe(403);
  expect(access({}, "127.0.0.1")).toBe(403);
});
