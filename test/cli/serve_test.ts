import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDirectory, PROGRAM_TIMEOUT_MS, runProgram, serveProgram } from "./program.ts";

setDefaultTimeout(PROGRAM_TIMEOUT_MS);

test("a first start without a terminal puts the password into a file and names only the file", async () => {
  using directory = openDirectory();
  const serving = await serveProgram(["--data-dir", directory.path]);
  const path = join(directory.path, "initial-admin-password");
  const password = readFileSync(path, "utf8").trim();
  const signedIn = await fetch(`${serving.url}/organizations`, {
    headers: { authorization: `Basic ${btoa(`admin:${password}`)}` },
  });
  expect(signedIn.status).toBe(200);
  serving.signal("SIGTERM");
  const { exitCode, stdout, stderr } = await serving.ended;
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "" });
  expect(stderr).toContain(path);
  expect(stderr).not.toContain(password);
  for (const name of ["initial-admin-password", "master.key", "inference-proxy.db"]) {
    expect(statSync(join(directory.path, name)).mode & 0o077).toBe(0);
  }
});

test("a first start with a password of the operator's own tells none", async () => {
  using directory = openDirectory();
  const environment = { INFERENCE_PROXY_ADMIN_PASSWORD: "correct-horse-battery" };
  const serving = await serveProgram(["--data-dir", directory.path], environment);
  serving.signal("SIGINT");
  const { exitCode, stderr } = await serving.ended;
  expect(exitCode).toBe(0);
  expect(stderr).not.toContain("password");
});

test("the process makes room for many requests before it opens anything, and stays the same process", async () => {
  using directory = openDirectory();
  const serving = await serveProgram(["--data-dir", directory.path]);
  const names = readFileSync(`/proc/${serving.pid}/environ`, "utf8").split("\0");
  expect(names).toContain("BUN_CONFIG_MAX_HTTP_REQUESTS=16384");
  serving.signal("SIGTERM");
  expect((await serving.ended).exitCode).toBe(0);
});

test("a capacity that the operator chose is left alone", async () => {
  using directory = openDirectory();
  const environment = { BUN_CONFIG_MAX_HTTP_REQUESTS: "300" };
  const serving = await serveProgram(["--data-dir", directory.path], environment);
  const names = readFileSync(`/proc/${serving.pid}/environ`, "utf8").split("\0");
  expect(names).toContain("BUN_CONFIG_MAX_HTTP_REQUESTS=300");
  serving.signal("SIGTERM");
  await serving.ended;
});

test("a hangup is survived", async () => {
  using directory = openDirectory();
  const serving = await serveProgram(["--data-dir", directory.path]);
  serving.signal("SIGHUP");
  await serving.printed("hangup ignored");
  expect((await fetch(`${serving.url}/livez`)).status).toBe(200);
  serving.signal("SIGTERM");
  expect((await serving.ended).exitCode).toBe(0);
});

test("two processes never share a data directory, nor an address", async () => {
  using directory = openDirectory();
  using other = openDirectory();
  const serving = await serveProgram(["--data-dir", directory.path]);
  const locked = await runProgram(["serve", "--data-dir", directory.path]);
  expect(locked.exitCode).toBe(75);
  expect(locked.stderr).toContain(`held by   process ${serving.pid}`);
  const address = new URL(serving.url).host;
  const taken = await runProgram(["serve", "--data-dir", other.path, "--listen", address]);
  expect(taken.exitCode).toBe(69);
  expect(taken.stderr).toMatch(/^error: Cannot listen on \S+: the port is in use$/m);
  expect(taken.stderr).toContain(address);
  serving.signal("SIGTERM");
  await serving.ended;
});

test("a data directory that cannot be is refused with exit code 77", async () => {
  const { exitCode } = await runProgram(["serve", "--data-dir", "/proc/nowhere"]);
  expect(exitCode).toBe(77);
});

test("a file that is no database is refused with exit code 65", async () => {
  using directory = openDirectory();
  writeFileSync(join(directory.path, "inference-proxy.db"), "no database at all. ".repeat(500));
  const { exitCode, stderr } = await runProgram(["serve", "--data-dir", directory.path]);
  expect(exitCode).toBe(65);
  expect(stderr).toContain("Cannot open database: the file is none");
});

test("a master key that others may read is refused with exit code 78", async () => {
  using directory = openDirectory();
  const path = join(directory.path, "master.key");
  writeFileSync(
    path,
    `${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex")}\n`,
  );
  chmodSync(path, 0o644);
  const { exitCode, stderr } = await runProgram(["serve", "--data-dir", directory.path]);
  expect(exitCode).toBe(78);
  expect(stderr).toContain("chmod 600");
});
