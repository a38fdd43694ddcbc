import { expect, test } from "bun:test";
import { anthropic } from "../../src/providers/anthropic.ts";

test("Anthropic is called at the Messages API of a pinned version, without a bearer token", () => {
  expect(anthropic.url("https://api.anthropic.com", "chat", "claude-opus-5-5")).toBe(
    "https://api.anthropic.com/v1/messages",
  );
  expect(anthropic.headers).toEqual({ "anthropic-version": "2023-06-01" });
  expect(anthropic.authorize("sk-ant-1")).toEqual({ "x-api-key": "sk-ant-1" });
});

test("Anthropic has no embeddings", () => {
  expect(anthropic.operations).toEqual(["chat"]);
});
