import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { monthOf } from "../../src/domain/month.ts";
import { createManagementPlane } from "../../src/management_plane/handler.ts";
import { createLog } from "../../src/std/log.ts";
import { Passwords } from "../../src/std/password.ts";
import { openPlane, PASSWORD, type TestPlane, toRequest } from "../support/management_plane.ts";

let plane: TestPlane;
beforeEach(async () => {
  plane = await openPlane();
});
afterEach(() => plane.database.close());

describe("the management plane", () => {
  const UNKNOWN = [
    "/organizationsx",
    "/organizations/{org}/",
    "/organizations//inference/keys",
    "/organizations/{org}/inference",
    "/organizations/{org}/inference/keys/",
    "/organizations/{org}/inference/keys/1/2",
    "/organizations/{org}/inference/chain",
    "/organizations/{org}%2Finference/keys",
    "/organizations/{org}/Inference/keys",
  ];
  test.each(UNKNOWN)("serves nothing at %s, whoever asks", async (path) => {
    for (const as of ["owner", "nobody"] as const) {
      const answer = await plane.ask({ as, path });
      expect(answer).toMatchObject({ status: 404, json: { code: "unknown_url" } });
    }
  });

  const OTHER_METHODS: [method: string, path: string, allow: string][] = [
    ["POST", "/organizations", "GET"],
    ["HEAD", "/organizations", "GET"],
    ["OPTIONS", "/organizations/{org}/inference/keys", "GET, POST"],
    ["PUT", "/organizations/{org}/inference/keys", "GET, POST"],
    ["POST", "/organizations/{org}/inference/providers", "GET, PUT"],
    ["GET", "/organizations/{org}/inference/keys/x", "PATCH, DELETE"],
    ["DELETE", "/organizations/{org}/inference/settings", "GET, PUT"],
  ];
  test.each(OTHER_METHODS)("%s %s is told to use %s", async (method, path, allow) => {
    const answer = await plane.ask({ method, path });
    expect(answer).toMatchObject({ status: 405, json: { code: "method_not_allowed" } });
    expect(answer.headers.get("allow")).toBe(allow);
  });

  test("a URL that no parser takes is answered, not thrown at", async () => {
    const broken = (url: string) =>
      Object.defineProperty(new Request("http://proxy.example"), "url", { value: url });
    for (const url of ["", "/", "http://", "http://[", "//", "http://a b/%ff?%"]) {
      const response = await plane.handle(broken(url), { address: "192.0.2.1", isOperator: false });
      expect(response.status).toBe(404);
    }
    const response = await plane.handle(broken("/organizations"), {
      address: "",
      isOperator: false,
    });
    expect(response.status).toBe(401);
  });

  test("a fault of ours is answered without a word about it, and logged", async () => {
    const lines: string[] = [];
    const { db, clock, vault, rotation, erasure } = plane;
    const unasked = () => Promise.reject(new Error("nobody asks for it"));
    const handle = createManagementPlane({
      facts: unasked,
      tryProvider: unasked,
      db,
      clock,
      vault,
      rotation,
      erasure,
      passwords: new Passwords(clock),
      live: {
        flush: () => Promise.reject(new Error("disk on fire")),
        month: monthOf,
        heldTokens: () => 0,
        keyChanged: () => {},
        organizationChanged: () => {},
      },
      allowedUpstreams: new Set(),
      status: () => Promise.reject(new Error("disk on fire")),
      log: createLog({
        level: "info",
        human: false,
        nowMs: () => clock.wallMs(),
        write: (line) => lines.push(line),
      }),
    });
    const authorization = `Basic ${btoa(`owner:${PASSWORD}`)}`;
    const url = `http://proxy.example/organizations/${plane.organizationId}/inference/keys`;
    const response = await handle(new Request(url, { headers: { authorization } }), {
      address: "192.0.2.1",
      isOperator: false,
    });
    expect(response.status).toBe(500);
    expect(await response.text()).toBe(
      '{"error":"Cannot answer: a fault of ours","code":"internal_error"}',
    );
    expect(lines.join("")).toContain("disk on fire");
  });
});

test("a change that cannot be written now is to be tried again", async () => {
  const other = new Database(plane.database.path);
  other.run("begin immediate");
  const put = { method: "PUT", path: "/organizations/{org}/inference/settings" } as const;
  const change = { as: "owner", ...put, body: { monthly_cost_limit_cents: 5 } } as const;
  const answer = await plane.ask(change);
  expect(answer).toMatchObject({ status: 503, json: { code: "overloaded" } });
  expect(answer.headers.get("retry-after")).toBe("2");
  other.close();
  expect((await plane.ask(change)).status).toBe(200);
});

/** Begins a request of the owner whose body is on its way, and returns what lets it arrive. */
async function sending(method: string, path: string, body: object) {
  const { promise, resolve: arrive } = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const text = JSON.stringify(body);
  // Asked for only once somebody reads it.
  const slow = new ReadableStream(
    {
      async pull(controller) {
        begun.resolve();
        await promise;
        controller.enqueue(new TextEncoder().encode(text));
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  const asked = toRequest({ method, path: path.replace("{org}", plane.organizationId), body: {} });
  const request = new Request(asked.url, { method, headers: asked.headers, body: slow });
  const answer = plane.handle(request, { address: "192.0.2.1", isOperator: false });
  await begun.promise;
  return { answer, arrive };
}

const CHANGES: [method: string, path: string, body: object][] = [
  ["POST", "/organizations/{org}/members", { user: "stranger", role: "owner" }],
  ["POST", "/organizations/{org}/inference/keys", { name: "app", monthly_token_limit: 1 }],
  ["PUT", "/organizations/{org}/inference/settings", { monthly_cost_limit_cents: 5 }],
];

describe("while a body is on its way", () => {
  test.each(CHANGES)("whoever is removed comes too late: %s %s", async (method, path, body) => {
    const { answer, arrive } = await sending(method, path, body);
    const member = `/organizations/{org}/members/${plane.userId("owner")}`;
    await plane.ask({
      as: "operator",
      method: "POST",
      path: "/organizations/{org}/members",
      body: { user: "stranger", role: "owner" },
    });
    expect((await plane.ask({ as: "operator", method: "DELETE", path: member })).status).toBe(204);
    arrive();
    expect((await answer).status).toBe(404);
  });

  test.each(CHANGES)("an old password comes too late: %s %s", async (method, path, body) => {
    const { answer, arrive } = await sending(method, path, body);
    const user = `/operator/users/${plane.userId("owner")}/password`;
    const changed = { password: "another horse, another staple" };
    expect(
      (await plane.ask({ as: "operator", method: "PUT", path: user, body: changed })).status,
    ).toBe(204);
    arrive();
    expect((await answer).status).toBe(401);
  });

  test("whoever stays is served", async () => {
    for (const [method, path, body] of CHANGES) {
      const { answer, arrive } = await sending(method, path, body);
      arrive();
      expect([method, path, (await answer).ok]).toEqual([method, path, true]);
    }
  });
});

test("whoever is removed while a new user's password is hashed adds nobody", async () => {
  const path = "/organizations/{org}/members";
  const body = { user: "friend", role: "owner", password: PASSWORD };
  const member = `${path}/${plane.userId("owner")}`;
  const stranger = { user: "stranger", role: "owner" };
  await plane.ask({ as: "operator", method: "POST", path, body: stranger });
  // Signed in before, so that nothing takes long but the new password.
  await plane.ask({ path: "/organizations" });
  const added = plane.ask({ method: "POST", path, body });
  await Bun.password.hash("x", { algorithm: "argon2id", memoryCost: 8, timeCost: 1 });
  await plane.ask({ as: "operator", method: "DELETE", path: member });
  expect((await added).status).toBe(404);
});
