import { describe, expect, test } from "bun:test";
import {
  applyFieldRules,
  drop,
  type FieldRule,
  isEmpty,
  isFalse,
  isOne,
  isZero,
  omit,
  pass,
  refuse,
  translated,
  unlessNeutral,
} from "../../src/providers/field_rules.ts";

const RULES: Record<string, FieldRule> = {
  kept: pass,
  old: (value) => ({ name: "new", value }),
  hint: drop,
  ours: omit,
  count: unlessNeutral(isOne, refuse("Acme")),
  level: translated({ high: "most" }),
};

describe("applyFieldRules()", () => {
  test("returns the very same body if every field passes", () => {
    const body = { kept: 1, other: { deep: [1] }, level: "low" };
    expect(applyFieldRules(body, RULES, pass).body).toBe(body);
  });

  test("renames, leaves out, and names what it dropped in the order of the body", () => {
    const body = { extra: 1, old: 2, hint: 3, ours: 4, count: 1, level: "high", kept: 5 };
    expect(applyFieldRules(body, RULES, drop)).toEqual({
      body: { new: 2, level: "most", kept: 5 },
      dropped: ["extra", "hint"],
    });
  });

  test("takes null for absent, whatever the rule", () => {
    const body = { kept: null, hint: null, count: null, extra: null };
    expect(applyFieldRules(body, RULES, drop)).toEqual({ body: {}, dropped: [] });
  });

  test("refuses by the name of the field", () => {
    expect(() => applyFieldRules({ count: 2 }, RULES, pass)).toThrow(
      expect.objectContaining({ code: "unsupported_parameter", param: "count" }),
    );
  });

  test("takes no rule, and no body, from what objects inherit", () => {
    const body = JSON.parse('{"constructor":1,"__proto__":{"kept":2},"hint":3}');
    const { body: sent } = applyFieldRules(body, RULES, pass);
    expect(JSON.stringify(sent)).toBe('{"constructor":1,"__proto__":{"kept":2}}');
    expect(Object.getPrototypeOf(sent)).toBe(Object.prototype);
  });
});

test("neutral values are told from those that ask for something", () => {
  expect([isFalse(false), isFalse(true), isFalse(0)]).toEqual([true, false, false]);
  expect([isZero(0), isZero(0.1), isZero(false)]).toEqual([true, false, false]);
  expect([isOne(1), isOne(2), isOne("1")]).toEqual([true, false, false]);
  expect([isEmpty({}), isEmpty([]), isEmpty({ a: 1 }), isEmpty(""), isEmpty(null)]).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});
