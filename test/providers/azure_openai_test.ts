import { expect, test } from "bun:test";
import { azureOpenAi } from "../../src/providers/azure_openai.ts";

test("Azure takes its key in a header of its own", () => {
  expect(azureOpenAi.authorize("key-1")).toEqual({ "api-key": "key-1" });
});

test("Azure has no route of its own: each organization brings its resource", () => {
  expect(azureOpenAi.baseUrl).toBeNull();
  expect(azureOpenAi.allowsApiVersion).toBe(true);
});
