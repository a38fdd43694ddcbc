import { expect, test } from "bun:test";
import { readCall } from "../../src/data_plane/call.ts";
import { Slots } from "../../src/data_plane/slots.ts";

const LIMITS = { concurrency: 1, keyConcurrency: 1, bodyMemoryBytes: 1e9, bodyBytesMax: 1e6 };

const MODEL = "openai/text-embedding-3-small";

function read(body: object) {
  return readText(JSON.stringify(body));
}

function readText(text: string) {
  const headers = { "content-length": String(Buffer.byteLength(text)) };
  const request = new Request("http://x/", { method: "POST", body: text, headers });
  const slot = new Slots(LIMITS, () => false).take({ id: "key", organizationId: "organization" });
  return readCall({ request, idleTimeout: () => {} }, "embeddings", { bytesMax: 1e6, slot });
}

test.each<[input: unknown]>([
  ["text"],
  [["text"]],
  [["one", "two"]],
  [[0]],
  [[1, 2, 3]],
  [[[1], [2, 3]]],
  [[Number.MAX_SAFE_INTEGER]],
])("an input of %j can be embedded", async (input) => {
  expect((await read({ model: MODEL, input })).body["input"]).toEqual(input as never);
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
])("an input of %j cannot", async (input) => {
  await expect(read({ model: MODEL, input })).rejects.toMatchObject({
    code: "invalid_value",
    param: "input",
    message: 'Cannot read "input": a text, token ids or a list of either is expected',
  });
});

test.each(["Model", "MODEL", "\\u004dodel", "N", "max_token\u017f", "Stream_Options"])(
  "a member is refused that a server might take for one that is decided by: %s",
  async (name) => {
    const text = `{"model":"${MODEL}","input":"text","${name}":"other"}`;
    await expect(readText(text)).rejects.toMatchObject({ code: "unsupported_parameter" });
  },
);

test("other members are named as their provider likes", async () => {
  const text = `{"model":"${MODEL}","input":"text","safePrompt":true,"\u00e9":1,"":2}`;
  expect([...(await readText(text)).members.keys()]).toContain("safePrompt");
});
