import { expect, setDefaultTimeout, test } from "bun:test";
import { systemClock } from "../../src/std/clock.ts";
import { ADMIN_PASSWORD } from "../support/app.ts";
import type { ManualClock } from "../support/clock.ts";
import { withProxy } from "../support/data_plane.ts";

// P18: a flood of sign-ins does not hold up calls, and wrong passwords do not lock the owner out elsewhere.

setDefaultTimeout(60_000);

/** Each test tells clients apart by what a proxy on this machine says of them. */
const FLAGS = ["--trusted-proxy", "127.0.0.1"];

/** Sign-ins wait by the clock. This one runs, and nobody turns it. */
const RUNNING: ManualClock = { ...systemClock, advance: () => {}, setWall: () => {} };

interface SignIn {
  readonly user?: string;
  readonly password?: string;
  readonly address: string;
}

async function signIn(url: string, { user = "admin", password = "wrong", address }: SignIn) {
  const response = await fetch(`${url}/organizations`, {
    headers: {
      authorization: `Basic ${btoa(`${user}:${password}`)}`,
      "x-forwarded-for": address,
    },
  });
  await response.arrayBuffer();
  return response;
}

test("P18: ten wrong passwords lock nobody out but who typed them", () =>
  withProxy({ flags: FLAGS }, async ({ url }) => {
    const statuses: number[] = [];
    for (let guess = 0; guess < 10; guess += 1)
      statuses.push((await signIn(url, { address: "198.51.100.1" })).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429, 429, 429]);
    const right = { password: ADMIN_PASSWORD };
    expect((await signIn(url, { ...right, address: "198.51.100.1" })).status).toBe(429);
    expect((await signIn(url, { ...right, address: "198.51.100.2" })).status).toBe(200);
    // Where the owner has signed in, others' guesses do not lock the owner out.
    for (let guess = 0; guess < 6; guess += 1) await signIn(url, { address: "198.51.100.2" });
    expect((await signIn(url, { ...right, address: "198.51.100.2" })).status).toBe(200);
  }));

test("P18: of a flood of sign-ins a few wait, the rest are sent away, and calls go through meanwhile", () =>
  withProxy({ flags: FLAGS, clock: RUNNING }, async (proxy) => {
    let ended = 0;
    const flood = Array.from({ length: 150 }, async (_, index) => {
      const address = `198.51.100.${index}`;
      const response = await signIn(proxy.url, { user: `user-${index}`, address });
      ended += 1;
      return response;
    });
    const calls = await Promise.all(Array.from({ length: 30 }, () => proxy.call()));
    expect(calls.map(({ status }) => status)).toEqual(Array<number>(30).fill(200));
    // The calls did not have to wait for the flood to be over.
    expect(ended).toBeLessThan(150);
    const answers = await Promise.all(flood);
    const busy = answers.filter(({ status }) => status === 503);
    expect(answers.filter(({ status }) => status === 401).length).toBe(150 - busy.length);
    expect(busy.length).toBeGreaterThan(50);
    for (const { headers } of busy) expect(headers.get("retry-after")).toBe("1");
  }));
