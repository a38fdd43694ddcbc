import { expect, test } from "bun:test";
import { mistralToolId } from "../../src/providers/mistral_tool_id.ts";

test("a valid id stays", () => {
  for (const id of ["aB3dE6gH9", "000000000"]) expect(mistralToolId(id)).toBe(id);
});

test("any other id becomes nine letters or digits, always the same ones", () => {
  const ids = [
    "",
    "call_1",
    "toolu_01A09q90qw90lq917835lq9",
    "aB3dE6gH",
    "aB3dE6gH90",
    "caf\u00e9",
  ];
  const made = ids.map(mistralToolId);
  for (const id of made) expect(id).toMatch(/^[a-zA-Z0-9]{9}$/);
  expect(ids.map(mistralToolId)).toEqual(made);
  expect(new Set(made).size).toBe(ids.length);
});

test("ids with a common start do not become the same", () => {
  const ids = Array.from({ length: 5000 }, (_, index) => `call_abcdefghijklmnop_${index}`);
  expect(new Set(ids.map(mistralToolId)).size).toBe(ids.length);
});
