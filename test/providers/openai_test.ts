import { expect, test } from "bun:test";
import { openai } from "../../src/providers/openai.ts";

test("OpenAI is called below a base URL that includes the version, also in another region", () => {
  expect(openai.url("https://eu.api.openai.com/v1", "embeddings", "text-embedding-3-small")).toBe(
    "https://eu.api.openai.com/v1/embeddings",
  );
  expect(openai.hosts).toContain("*.api.openai.com");
});

test("OpenAI's answers are relayed as they are", () => {
  expect(Object.keys(openai.quirks ?? {})).toEqual(["asksForStreamUsage", "chatRequest"]);
  expect(openai.quirks?.asksForStreamUsage).toBe(true);
});
