import { expect, test } from "bun:test";
import { labelText, metricHead, valueText } from "../../src/std/metric_text.ts";

test("the head of a metric names it, explains it and says its type, each on one line", () => {
  expect(metricHead("calls_total", "Calls", "counter")).toBe(
    "# HELP calls_total Calls\n# TYPE calls_total counter\n",
  );
  expect(metricHead("a", 'C:\\temp\nand "more"', "gauge")).toBe(
    '# HELP a C:\\\\temp\\nand "more"\n# TYPE a gauge\n',
  );
});

test.each([
  [[], ""],
  [[["a", "1"]], '{a="1"}'],
  [
    [
      ["a", "1"],
      ["b", ""],
    ],
    '{a="1",b=""}',
  ],
  [[["a", 'say "x"']], '{a="say \\"x\\""}'],
  [[["a", "back\\slash"]], '{a="back\\\\slash"}'],
  [[["a", "line\nend"]], '{a="line\\nend"}'],
  [[["a", "\\n"]], '{a="\\\\n"}'],
] as [(readonly [string, string])[], string][])("labels %p are written %s", (labels, text) => {
  expect(labelText(labels)).toBe(text);
});

test.each([
  [0, "0"],
  [1.5, "1.5"],
  [1e21, "1e+21"],
  [9_007_199_254_740_991, "9007199254740991"],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "+Inf"],
  [Number.NEGATIVE_INFINITY, "-Inf"],
])("the value %p is written %s", (value, text) => {
  expect(valueText(value)).toBe(text);
});
