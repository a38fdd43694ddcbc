import { expect, test } from "bun:test";
import { formatModelName, parseModelName, PROVIDER_IDS } from "../../src/domain/provider.ts";

test("a provider's id can stand in a model name and in a path", () => {
  expect(PROVIDER_IDS).toHaveLength(5);
  for (const id of PROVIDER_IDS) expect(id).toMatch(/^[a-z]+(_[a-z]+)*$/);
  expect(new Set(PROVIDER_IDS).size).toBe(PROVIDER_IDS.length);
});

test("a model's name is split at its first slash, and written the same again", () => {
  const name = parseModelName("groq/openai/gpt-oss-120b");
  expect(name).toEqual({ provider: "groq", model: "openai/gpt-oss-120b" });
  expect(name && formatModelName(name)).toBe("groq/openai/gpt-oss-120b");
});

const NO_NAMES = [
  "",
  "gpt-5",
  "/gpt-5",
  "openai/",
  "openai",
  "OpenAI/gpt-5",
  " openai/gpt-5",
  "x/y",
];

test.each(NO_NAMES)("%p is no model's name", (text) => {
  expect(parseModelName(text)).toBeNull();
});
