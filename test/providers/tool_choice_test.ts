import { describe, expect, test } from "bun:test";
import { selectTools } from "../../src/providers/tool_choice.ts";
import type { Json, JsonObject } from "../../src/std/json.ts";

const tool = (name: string): JsonObject => ({ type: "function", function: { name } });
const TOOLS = [tool("f"), tool("g"), { type: "browser_search" }];
const allowed = (mode: string, ...names: string[]): JsonObject => ({
  type: "allowed_tools",
  allowed_tools: { mode, tools: names.map(tool) },
});

describe("selectTools()", () => {
  test("returns what it was given where every provider understands it", () => {
    for (const choice of ["auto", "none", "required", tool("f"), undefined]) {
      const selected = selectTools({ tools: TOOLS, tool_choice: choice }, "Acme");
      expect(selected.tools).toBe(TOOLS);
      expect(selected.choice).toBe(choice);
    }
  });

  test("leaves an empty list out, and the choice with it", () => {
    const selected = selectTools({ tools: [], tool_choice: "auto" }, "Acme");
    expect(selected).toEqual({ tools: undefined, choice: undefined });
  });

  test.each([
    ["auto", "auto"],
    ["none", "none"],
    ["required", "required"],
    ["any", "required"],
  ])("reads the object form of the choice %s", (type, choice) => {
    expect(selectTools({ tools: TOOLS, tool_choice: { type } }, "Acme").choice).toBe(choice);
  });

  test("shortens the tools to those allowed", () => {
    const body = { tools: TOOLS, tool_choice: allowed("required", "g") };
    expect(selectTools(body, "Acme")).toEqual({ tools: [tool("g")], choice: "required" });
    const flat = { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "f" }] };
    expect(selectTools({ tools: TOOLS, tool_choice: flat }, "Acme")).toEqual({
      tools: [tool("f")],
      choice: "auto",
    });
  });

  const REFUSED: readonly (readonly [name: string, body: JsonObject, param: string])[] = [
    ["a custom tool", { tools: [tool("f"), { type: "custom", custom: {} }] }, "tools[1].type"],
    ["a choice of a custom tool", { tools: TOOLS, tool_choice: choiceOf("custom") }, "tool_choice"],
    ["a choice of an unknown type", { tool_choice: choiceOf("psychic") }, "tool_choice"],
    ["a function without a name", { tool_choice: choiceOf("function") }, "tool_choice"],
    ["an allowed tool that is not defined", { tool_choice: allowed("auto", "h") }, "tool_choice"],
    ["a choice among no tools", { tools: TOOLS, tool_choice: allowed("auto") }, "tool_choice"],
  ];
  test.each(REFUSED)("refuses %s", (_, body, param) => {
    expect(() => selectTools(body, "Acme")).toThrow(
      expect.objectContaining({ code: "invalid_value", param }),
    );
  });
});

function choiceOf(type: string): Json {
  return { type };
}
