import { expect, test } from "bun:test";
import { readCall } from "../../src/data_plane/call.ts";

const MODEL = "openai/text-embedding-3-small";

function read(body: object) {
  return readText(JSON.stringify(body));
}

function readText(text: string) {
  return readCall(text, "embeddings");
}

function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

test.each<[input: unknown]>([
  ["text"],
  [["text"]],
  [["one", "two"]],
  [[0]],
  [[1, 2, 3]],
  [[[1], [2, 3]]],
  [[Number.MAX_SAFE_INTEGER]],
])("an input of %j can be embedded", (input) => {
  expect(read({ model: MODEL, input }).body["input"]).toEqual(input as never);
});

test.each<[input: unknown]>([
  [null],
  [""],
  [7],
  [{}],
  [[]],
  [[""]],
  [["text", ""]],
  [["text", 1]],
  [[1, "text"]],
  [[-1]],
  [[0.5]],
  [[2 ** 53]],
  [[[]]],
  [[[1], []]],
  [[[1], 2]],
  [[[1], ["text"]]],
  [[[[1]]]],
  [[null]],
])("an input of %j cannot", (input) => {
  expect(thrownBy(() => read({ model: MODEL, input }))).toMatchObject({
    code: "invalid_value",
    param: "input",
    message: 'Cannot read "input": a text, token ids or a list of either is expected',
  });
});

test.each(["Model", "MODEL", "\\u004dodel", "N", "max_token\u017f", "Stream_Options"])(
  "a member is refused that a server might take for one that is decided by: %s",
  (name) => {
    const text = `{"model":"${MODEL}","input":"text","${name}":"other"}`;
    expect(thrownBy(() => readText(text))).toMatchObject({ code: "unsupported_parameter" });
  },
);

test("other members are named as their provider likes", () => {
  const text = `{"model":"${MODEL}","input":"text","safePrompt":true,"\u00e9":1,"":2}`;
  expect([...readText(text).members.keys()]).toContain("safePrompt");
});
