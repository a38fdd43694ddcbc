import { expect, test } from "bun:test";
import { mistralToolChoice, mistralTools } from "../../src/providers/mistral_tools.ts";

test("a function keeps what Mistral knows and always has parameters", () => {
  const given = { name: "f", description: "d", strict: true, cache_control: {} };
  expect(mistralTools([{ type: "function", function: given }])).toEqual([
    {
      type: "function",
      function: {
        name: "f",
        description: "d",
        strict: true,
        parameters: { type: "object", properties: {} },
      },
    },
  ]);
  const schema = { type: "object", properties: { a: { $ref: "#/$defs/a" } }, $defs: { a: {} } };
  expect(mistralTools([{ function: { name: "f", strict: null, parameters: schema } }])).toEqual([
    { type: "function", function: { name: "f", parameters: schema } },
  ]);
});

test("Mistral's own tools pass, and so does no list", () => {
  expect(mistralTools([{ type: "web_search" }])).toEqual([{ type: "web_search" }]);
  expect(mistralTools(undefined)).toBeUndefined();
});

test("a function tool that describes no function is refused", () => {
  expect(() => mistralTools([{ type: "web_search" }, { type: "function" }])).toThrow(
    expect.objectContaining({ code: "invalid_value", param: "tools[1].function" }),
  );
});

test("only the choice to require a tool has another name", () => {
  expect(mistralToolChoice("required")).toBe("any");
  expect(mistralToolChoice("auto")).toBe("auto");
  expect(mistralToolChoice(undefined)).toBeUndefined();
});
