import { expect, test } from "bun:test";
import { bearer, openAiUrl } from "../../src/providers/provider.ts";

test("bearer() presents the key in the authorization header", () => {
  expect(bearer("sk-1")).toEqual({ authorization: "Bearer sk-1" });
});

test("openAiUrl() has one path for each operation", () => {
  const base = "https://gateway.example.com/openai/v1";
  expect(openAiUrl(base, "chat")).toBe(`${base}/chat/completions`);
  expect(openAiUrl(base, "embeddings")).toBe(`${base}/embeddings`);
});
