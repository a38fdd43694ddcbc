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

test.each([
  '{"id":"a","model":"m","choices":[{"model":"x"}]}',
  '{"choices":[{"model":"x"}],"model":"m"}',
  '{"nested":{"model":"x"},"model":"m"}',
  '{"id":"\\"model\\":\\"x\\"","model":"m"}',
  '{"id":"a","model":"m\\"odel","x":1}',
  '{"id":"{","model":"m","x":{"model":"x"}}',
  '{"id":"a", "model" : "m"}',
  '{"id":"a","model":null}',
  '{"data":[{"embedding":[1.0,2e-3],"model":"x"}],"model":"m","usage":{"prompt_tokens":1}} ',
  '{"model":1,"data":[{"model":"x"}]}',
  '{"data":[{"x":{"model":"x"}}],"model":null}',
  '{"a":[{"model":"x"}],"model":"m","note":"\\"model\\":\\"y\\"}"}',
  '{"id":"a"}',
  "{}",
])("the model alone is set wherever it stands: %s", (text) => {
  const edited = editAnswer(text, { model: '"p/m"' });
  expect(JSON.parse(edited)).toEqual({ ...JSON.parse(text), model: "p/m" });
});
