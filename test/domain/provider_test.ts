import { expect, test } from "bun:test";
import { PROVIDER_IDS } from "../../src/domain/provider.ts";

test("a provider's id can stand in a model name and in a path", () => {
  expect(PROVIDER_IDS).toHaveLength(5);
  for (const id of PROVIDER_IDS) expect(id).toMatch(/^[a-z]+(_[a-z]+)*$/);
  expect(new Set(PROVIDER_IDS).size).toBe(PROVIDER_IDS.length);
});
