import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetchUnix, serveUnix } from "../../src/std/unix_server.ts";

let folder: string;
beforeEach(() => {
  // Longer than the address of a socket may be.
  folder = join(mkdtempSync(join(tmpdir(), "unix-")), "x".repeat(150));
  mkdirSync(folder);
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true }));

const echo = async (request: Request) =>
  new Response(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`);

test("a request goes through the socket, however long its path", async () => {
  const path = join(folder, "control.sock");
  const server = serveUnix(path, echo);
  const request = () => new Request("http://localhost/a/b", { method: "POST", body: "c" });
  const answers = await Promise.all([fetchUnix(path, request()), fetchUnix(path, request())]);
  for (const answer of answers) expect(await answer.text()).toBe("POST /a/b c");
  await server.stop();
  expect(existsSync(path)).toBe(false);
});

test("only its user can open the socket", async () => {
  const path = join(folder, "control.sock");
  const server = serveUnix(path, echo);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await server.stop();
});

test("a socket that was left behind is replaced", async () => {
  const path = join(folder, "control.sock");
  writeFileSync(path, "");
  const server = serveUnix(path, echo);
  expect((await fetchUnix(path, new Request("http://localhost/"))).status).toBe(200);
  await server.stop();
});

test("where nobody listens, the system's code is told", async () => {
  const path = join(folder, "control.sock");
  const code = await fetchUnix(path, new Request("http://localhost/")).catch((error) => error.code);
  expect(code).toBe("ENOENT");
});
