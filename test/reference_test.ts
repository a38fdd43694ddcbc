import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { openApiText, reference } from "../src/reference.ts";
import { openTestApp } from "./support/app.ts";

const app = await openTestApp();
afterAll(() => app.close());

const source = (name: string) => Bun.file(join(import.meta.dir, "../src", name)).text();

test.each([
  ["/openapi.json", "openapi.json", "application/json"],
  ["/docs", "docs.html", "text/html; charset=utf-8"],
  ["/docs/style.css", "docs.css", "text/css; charset=utf-8"],
])("%s is served to everybody, and nothing in it may run", async (path, name, type) => {
  const response = await fetch(app.url + path);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe(type);
  expect(response.headers.get("cache-control")).toBe("public, max-age=300");
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  const policy = response.headers.get("content-security-policy");
  expect(policy).toStartWith("default-src 'none'; style-src 'self';");
  expect(policy).not.toMatch(/unsafe|script-src|http/);
  expect(await response.text()).toBe(await source(name));
  const head = await fetch(app.url + path, { method: "HEAD" });
  expect(head.headers.get("content-type")).toBe(type);
  expect(await head.text()).toBe("");
});

test("a slash at the end leads to the page", async () => {
  const response = await fetch(`${app.url}/docs/`, { redirect: "manual" });
  expect(response.status).toBe(308);
  expect(new URL(response.headers.get("location") ?? "", response.url).pathname).toBe("/docs");
});

test("nothing else is there, and nothing takes a POST", async () => {
  for (const path of ["/docs/x", "/docs.html", "/openapi", "/openapi.json/", "/"])
    expect(reference(path)).toBeNull();
  for (const path of ["/docs", "/openapi.json"])
    expect((await fetch(app.url + path, { method: "POST" })).status).toBe(404);
});

test("the command line has the same text", async () => {
  expect(await openApiText()).toBe(await source("openapi.json"));
});
