import { afterAll, expect, test } from "bun:test";
import { listOf, ManagementClient, sendAs, textOf } from "../../src/cli/management_client.ts";
import { Secret } from "../../src/std/secret.ts";

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/empty") return new Response(null, { status: 204 });
    if (pathname === "/refused") return Response.json({ error: "not yours" }, { status: 403 });
    if (pathname === "/broken") return new Response("<html>", { status: 502 });
    const user = atob(request.headers.get("authorization")?.replace("Basic ", "") ?? "");
    return Response.json({ user, method: request.method, body: await request.text() });
  },
});
afterAll(() => server.stop(true));
const client = new ManagementClient(sendAs(server.url.origin, "admin", new Secret("pass:word")));

test("a call signs in and carries JSON", async () => {
  expect(await client.call("PUT", "/x", { a: 1 })).toEqual({
    user: "admin:pass:word",
    method: "PUT",
    body: '{"a":1}',
  });
  expect(await client.call("DELETE", "/empty")).toEqual({});
});

test("an error is thrown with what it says", async () => {
  const refused = client.call("GET", "/refused");
  await expect(refused).rejects.toMatchObject({ message: "not yours", status: 403, code: "" });
  const broken = client.call("GET", "/broken");
  await expect(broken).rejects.toThrow("Cannot GET /broken: the answer has status 502");
});

test("answers are read with care", () => {
  expect(listOf({ rows: [{ a: 1 }, 2] }, "rows")).toEqual([{ a: 1 }]);
  expect(listOf({}, "rows")).toEqual([]);
  expect(textOf({ id: "x" }, "id")).toBe("x");
  expect(() => textOf({ id: 1 }, "id")).toThrow("id is not a text");
});
