import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { openFolder, startBinary } from "../support/binary.ts";

setDefaultTimeout(30_000);

const modeOf = (path: string) => statSync(path).mode & 0o777;

async function signIn(url: string, password: string): Promise<number> {
  const headers = { authorization: `Basic ${btoa(`admin:${password}`)}` };
  return (await fetch(`${url}/organizations`, { headers })).status;
}

test("without a terminal, the first password is in a file for its owner alone, and in no output", async () => {
  using folder = openFolder();
  const dataDir = join(folder.path, "made", "by", "the", "start");
  await using binary = await startBinary(["--data-dir", dataDir]);
  const file = join(dataDir, "initial-admin-password");
  expect(binary.output()).toContain(file);
  expect(modeOf(file)).toBe(0o600);
  const password = readFileSync(file, "utf8").trimEnd();
  expect(password.length).toBeGreaterThanOrEqual(16);
  expect(await signIn(binary.url, password)).toBe(200);
  expect(await signIn(binary.url, "guess")).toBe(401);
  expect(modeOf(dataDir)).toBe(0o700);
  expect(modeOf(join(dataDir, "master.key"))).toBe(0o600);
  const { stdout, stderr } = await binary.stop();
  expect(stdout).toBe("");
  expect(stderr).not.toContain(password);
});

test("on a terminal, a banner shows the first password, which is nowhere else", async () => {
  using folder = openFolder();
  const flags = ["--data-dir", folder.path];
  await using binary = await startBinary(flags, { terminal: true });
  const banner = binary.output();
  const password = /shown once:\s+(\S+)\s/.exec(banner)?.[1] ?? "";
  expect(await signIn(binary.url, password)).toBe(200);
  expect(banner).toContain("Inference Proxy");
  expect(banner).toContain(join(folder.path, "inference-proxy.db"));
  expect(banner).toContain(join(folder.path, "master.key"));
  expect(banner).toContain(`${binary.url}/inference/v1`);
  await binary.stop();
  for (const name of new Bun.Glob("*").scanSync(folder.path)) {
    expect(readFileSync(join(folder.path, name), "latin1")).not.toContain(password);
  }

  await using again = await startBinary(flags, { terminal: true });
  expect(await signIn(again.url, password)).toBe(200);
  expect(again.output().trimEnd().split("\n")).toHaveLength(1);
  await again.stop();
});

test("a password that was given is in no output and no file, and the second start is one line", async () => {
  using folder = openFolder();
  const password = "given-by-the-operator";
  const flags = ["--data-dir", folder.path];
  const environment = { INFERENCE_PROXY_ADMIN_PASSWORD: password };
  await using first = await startBinary(flags, { environment });
  expect(await signIn(first.url, password)).toBe(200);
  const { stdout, stderr } = await first.stop();
  expect(stdout + stderr).not.toContain(password);

  await using second = await startBinary(flags);
  expect(second.output().trimEnd().split("\n")).toHaveLength(1);
  expect(await signIn(second.url, password)).toBe(200);
  await second.stop();
  const names = [...new Bun.Glob("*").scanSync(folder.path)].toSorted();
  expect(names).toEqual(["inference-proxy.db", "inference-proxy.lock", "master.key"]);
  for (const name of names) {
    expect(readFileSync(join(folder.path, name), "latin1")).not.toContain(password);
  }
});
