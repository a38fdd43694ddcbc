import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { setPassword } from "../../src/store/users.ts";
import { openPlane, PASSWORD, type TestPlane } from "../support/management_plane.ts";

const MINUTE_MS = 60_000;
const PATH = "/organizations";

let plane: TestPlane;
beforeEach(async () => {
  plane = await openPlane();
});
afterEach(() => plane.database.close());

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});

async function statusOf(user: string, password: string, address?: string): Promise<number> {
  const from = address === undefined ? {} : { address };
  return (await plane.ask({ path: PATH, headers: basic(user, password), ...from })).status;
}

async function fail(times: number, address?: string): Promise<number[]> {
  const statuses: number[] = [];
  for (let guess = 0; guess < times; guess += 1)
    statuses.push(await statusOf("owner", `guess ${guess}`, address));
  return statuses;
}

describe("signing in", () => {
  test("takes a user's name however it is written", async () => {
    for (const name of ["owner", "OWNER", " Owner ", "\u{ff4f}wner"])
      expect(await statusOf(name, PASSWORD)).toBe(200);
  });

  const NO_CREDENTIALS = ["", "Basic", "Basic !", "Bearer x", "Basic b3duZXI=", "Digest a:b"];
  test.each(NO_CREDENTIALS)("with %p is not signing in", async (authorization) => {
    expect((await plane.ask({ path: PATH, headers: { authorization } })).status).toBe(401);
  });

  test("fails alike for a wrong password and for a user who does not exist", async () => {
    const wrong = await plane.ask({ path: PATH, headers: basic("owner", "wrong") });
    const unknown = await plane.ask({ path: PATH, headers: basic("nobody", "wrong") });
    expect(wrong.status).toBe(401);
    expect(unknown.status).toBe(401);
    expect(unknown.text).toBe(wrong.text);
  });

  test("ends with the old password when it is changed", async () => {
    expect(await statusOf("owner", PASSWORD)).toBe(200);
    const passwordHash = await Bun.password.hash("another one", {
      algorithm: "argon2id",
      memoryCost: 8,
      timeCost: 1,
    });
    const act = { actor: "system", address: "192.0.2.1", nowMs: plane.clock.wallMs() };
    await setPassword(plane.db, act, { userId: plane.userId("owner"), passwordHash });
    expect(await statusOf("owner", PASSWORD)).toBe(401);
    expect(await statusOf("owner", "another one")).toBe(200);
  });

  test("is refused if the password is changed, or the user deleted, while it is being checked", async () => {
    for (const change of ["password", "user"] as const) {
      const name = change === "password" ? "owner" : "stranger";
      // Users who do not exist take both turns, and take as long as real ones would.
      const others = ["a", "b"].map((ghost) => statusOf(ghost, "x", "198.51.100.1"));
      const asking = statusOf(name, PASSWORD);
      const path = `/operator/users/${plane.userId(name)}`;
      const changed = await (change === "password"
        ? plane.db
            .updateTable("users")
            .set({ password_hash: "x" })
            .where("name", "=", name)
            .execute()
        : plane.ask({ as: "operator", method: "DELETE", path }));
      expect(changed).toBeDefined();
      expect(await asking).toBe(401);
      await Promise.all(others);
    }
  });

  test("takes one check of a password, whether the user exists or not", async () => {
    const verify = spyOn(Bun.password, "verify");
    const checks: number[] = [];
    for (const name of ["owner", "nobody-of-that-name"]) {
      verify.mockClear();
      expect(await statusOf(name, "wrong")).toBe(401);
      checks.push(verify.mock.calls.length);
    }
    verify.mockRestore();
    expect(checks).toEqual([1, 1]);
  });
});

describe("guessing", () => {
  test("is paused after five failures, for the right password too", async () => {
    expect(await fail(6)).toEqual([401, 401, 401, 401, 401, 429]);
    const paused = await plane.ask({ path: PATH });
    expect(paused).toMatchObject({ status: 429, json: { code: "too_many_attempts" } });
    expect(paused.headers.get("retry-after")).toBe("30");
    plane.clock.advance(30_000);
    expect(await statusOf("owner", PASSWORD)).toBe(200);
  });

  test("does not keep the owner out at another address, or another user at this one", async () => {
    await fail(6, "198.51.100.1");
    expect(await statusOf("owner", PASSWORD, "198.51.100.2")).toBe(200);
    expect(await statusOf("admin", PASSWORD, "198.51.100.1")).toBe(200);
    expect(await statusOf("owner", PASSWORD, "198.51.100.1")).toBe(429);
  });

  test("is not paused where that user has signed in today", async () => {
    expect(await statusOf("owner", PASSWORD)).toBe(200);
    expect(await fail(8)).toEqual(Array<number>(8).fill(401));
    plane.clock.advance(24 * 60 * MINUTE_MS);
    expect(await fail(6)).toEqual([401, 401, 401, 401, 401, 429]);
  });

  test("counts for users who do not exist, under any spelling", async () => {
    const statuses: number[] = [];
    for (const name of ["ghost", "Ghost", " ghost", "GHOST", "ghost ", "gHost"])
      statuses.push(await statusOf(name, "guess"));
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
  });

  test("with many at once gets no further than one after the other", async () => {
    const guesses = Array.from({ length: 30 }, (_, guess) => statusOf("owner", `guess ${guess}`));
    const statuses = await Promise.all(guesses);
    expect(statuses.filter((status) => status === 401)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(25);
  });

  test("is looked at by no password check once it is paused", async () => {
    await fail(5);
    const verify = spyOn(Bun.password, "verify");
    expect(await fail(20)).toEqual(Array<number>(20).fill(429));
    expect(verify).not.toHaveBeenCalled();
    verify.mockRestore();
  });

  test("fills no log: refusals are counted, and told every ten seconds at most", async () => {
    await fail(5);
    plane.lines.length = 0;
    await fail(30);
    plane.clock.advance(10_000);
    await fail(1);
    const told = plane.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told.map(({ msg, refusals }) => [msg, refusals])).toEqual([
      ["sign-in refused: too many failures", 1],
      ["sign-in refused: too many failures", 30],
    ]);
  });

  test("is forgotten when the operator unlocks the user, who then signs in at once", async () => {
    await fail(6);
    const path = `/operator/users/${plane.userId("owner")}/unlock`;
    expect((await plane.ask({ method: "POST", path })).status).toBe(404);
    expect(await statusOf("owner", PASSWORD)).toBe(429);
    expect((await plane.ask({ as: "operator", method: "POST", path })).status).toBe(204);
    expect(await statusOf("owner", PASSWORD)).toBe(200);
    const event = await plane.db
      .selectFrom("audit_events")
      .select(["actor", "address", "target", "detail"])
      .where("action", "=", "user.unlock")
      .executeTakeFirstOrThrow();
    expect(event).toEqual({
      actor: "operator",
      address: "local",
      target: plane.userId("owner"),
      detail: '{"name":"owner"}',
    });
  });

  test("is logged without the name that was tried", async () => {
    await statusOf("typed-my-password-here", "x");
    expect(plane.lines.join("")).toContain("wrong user or password");
    expect(plane.lines.join("")).not.toContain("typed-my-password-here");
  });
});

test("many requests of one client at once are one attempt", async () => {
  const asked = Array.from({ length: 60 }, () => statusOf("owner", PASSWORD));
  expect(await Promise.all(asked)).toEqual(Array<number>(60).fill(200));
});

test("when too many passwords are being checked, the rest are asked to come back", async () => {
  const asked = Array.from({ length: 40 }, (_, index) =>
    plane.ask({ path: PATH, headers: basic("owner", PASSWORD), address: `192.0.2.${index}` }),
  );
  const busy = (await Promise.all(asked)).filter((answer) => answer.status !== 200);
  expect(busy.length).toBe(6);
  for (const answer of busy) {
    expect(answer).toMatchObject({ status: 503, json: { code: "overloaded" } });
    expect(answer.headers.get("retry-after")).toBe("1");
  }
  expect(await statusOf("owner", PASSWORD, "192.0.2.39")).toBe(200);
});
