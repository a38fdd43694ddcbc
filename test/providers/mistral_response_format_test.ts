import { expect, test } from "bun:test";
import { mistralResponseFormat } from "../../src/providers/mistral_response_format.ts";

test("formats without a schema pass", () => {
  for (const format of [{ type: "text" }, { type: "json_object" }]) {
    expect(mistralResponseFormat(format)).toBe(format);
  }
});

test("a schema passes with the members that Mistral knows", () => {
  const known = { name: "s", description: "d", schema: { type: "object" }, strict: false };
  const given = { type: "json_schema", json_schema: { ...known, extra: 1 } };
  expect(mistralResponseFormat(given)).toEqual({ type: "json_schema", json_schema: known });
});

test.each([{}, { json_schema: { name: "s" } }, { json_schema: { name: "s", schema: null } }])(
  "%j is refused for its missing schema",
  (format) => {
    expect(() => mistralResponseFormat({ type: "json_schema", ...format })).toThrow(
      expect.objectContaining({
        code: "invalid_value",
        param: "response_format.json_schema.schema",
      }),
    );
  },
);
