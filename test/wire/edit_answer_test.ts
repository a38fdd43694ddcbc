import { expect, test } from "bun:test";
import { editAnswer } from "../../src/wire/edit_answer.ts";
import { UpstreamFault } from "../../src/wire/translation.ts";

test("members are set, added and left out, and other bytes stay", () => {
  const edited = editAnswer('{ "model": "a", "usage": 1, "x": 1.0 }', {
    model: '"b"',
    usage: undefined,
    n: "2",
  });
  expect(edited).toBe('{ "model": "b", "x": 1.0 ,"n":2}');
});

test.each([
  ['{"id":"a","id":"b"}', "given twice"],
  [`{"a":${"[".repeat(101)}${"]".repeat(101)}}`, "nest deeper"],
])("an object that cannot be read again is the provider's fault: %s", (text, why) => {
  expect(() => editAnswer(text, {})).toThrow(UpstreamFault);
  expect(() => editAnswer(text, {})).toThrow(why);
});
