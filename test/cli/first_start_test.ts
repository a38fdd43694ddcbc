import { expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { firstStartBanner, passwordFile, writePasswordFile } from "../../src/cli/first_start.ts";
import { Secret } from "../../src/std/secret.ts";
import { openDirectory } from "./program.ts";

const FIRST = {
  databasePath: "data/inference-proxy.db",
  schema: "0005_create_audit_events",
  masterKeyPath: "./data/master.key",
  masterKeyId: "4f1c9a00",
  masterKeyCreated: true,
  adminUser: "admin",
  adminPassword: new Secret("qv7k-m2xd-9hts-4pbe"),
};
const LISTENING = { host: "127.0.0.1", port: 8080 };

test("the banner shows the password, where things are and what to do next", () => {
  const banner = firstStartBanner(FIRST, LISTENING);
  expect(banner).toContain("\n    qv7k-m2xd-9hts-4pbe\n");
  expect(banner).toContain("http://127.0.0.1:8080/inference/v1");
  expect(banner).toContain("./data/master.key  created, id 4f1c9a00");
  expect(banner).toContain("inference-proxy key create my-app --monthly-tokens 1000000\n");
  const elsewhere = { ...FIRST, databasePath: "/var/lib/x/inference-proxy.db" };
  expect(firstStartBanner(elsewhere, LISTENING)).toContain(
    "settings set --monthly-cost-limit 600 --data-dir /var/lib/x\n",
  );
});

test("the banner shows the password even if listening failed", () => {
  const banner = firstStartBanner(FIRST, null);
  expect(banner).toContain("qv7k-m2xd-9hts-4pbe");
  expect(banner).not.toContain("API  ");
});

test("the banner shows no password that the operator knows already", () => {
  const banner = firstStartBanner({ ...FIRST, adminPassword: null }, LISTENING);
  expect(banner).toContain('Sign in as "admin" with the password you gave');
});

test("the password's file is the owner's alone, also where an older one was open to all", () => {
  using directory = openDirectory();
  writeFileSync(passwordFile(directory.path), "old", { mode: 0o644 });
  const path = writePasswordFile(directory.path, FIRST.adminPassword);
  expect(readFileSync(path, "utf8")).toBe("qv7k-m2xd-9hts-4pbe\n");
  expect(statSync(path).mode & 0o777).toBe(0o600);
});
