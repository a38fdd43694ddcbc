import { expect, test } from "bun:test";
import { restartCommand } from "../src/fetch_capacity.ts";

test("a compiled program starts again with its own arguments only", () => {
  const argv = ["bun", "/$bunfs/root/inference-proxy", "serve", "--listen", "a:1"];
  const program = { path: "/usr/bin/inference-proxy", compiled: true };
  expect(restartCommand(argv, ["--no-addons"], program)).toEqual([
    "/usr/bin/inference-proxy",
    "serve",
    "--listen",
    "a:1",
  ]);
});

test("a program run from source starts again with its runtime's flags and its file", () => {
  const argv = ["/opt/bun", "/src/main.ts", "serve"];
  const program = { path: "/opt/bun", compiled: false };
  expect(restartCommand(argv, ["--smol"], program)).toEqual([
    "/opt/bun",
    "--smol",
    "/src/main.ts",
    "serve",
  ]);
});
