import { expect, test } from "bun:test";
import { FRAME_CHARS_MIN, readEmbeddingsFrame } from "../../src/wire/embeddings_frame.ts";
import { openAiTranslation } from "../../src/wire/openai.ts";
import { clientRequest } from "../support/translate.ts";

const VECTORS = JSON.stringify([
  { object: "embedding", index: 0, embedding: Array.from({ length: 4_000 }, (_, i) => i / 7) },
]);
const USAGE = '{"prompt_tokens":12,"total_tokens":12}';
const LONG = `{"object":"list","data":${VECTORS},"model":"text-embedding-3-small","usage":${USAGE}}`;

test("the members behind the vectors are read without the vectors", () => {
  expect(LONG.length).toBeGreaterThan(FRAME_CHARS_MIN);
  expect(readEmbeddingsFrame(LONG)).toEqual({
    model: "text-embedding-3-small",
    usage: { prompt_tokens: 12, total_tokens: 12 },
  });
  const spaced = LONG.replace('{"object":', '\n{\n  "object" : ').replace(
    ',"model"',
    ' ,\n  "model"',
  );
  expect(readEmbeddingsFrame(`${spaced}\n`)).toEqual(readEmbeddingsFrame(LONG));
});

test.each([
  ["a short answer", '{"object":"list","data":[],"model":"m","usage":{}}'],
  ["an error beside the vectors, before them", LONG.replace("{", '{"error":{"message":"no"},')],
  ["an error behind them", LONG.replace(/\}$/, ',"error":{"message":"no"}}')],
  ["an error between", LONG.replace(',"model"', ',"error":["no"],"model"')],
  ["another order", LONG.replace('"object":"list",', "").replace(/\}$/, ',"object":"list"}')],
  ["no model", LONG.replace(',"model":"text-embedding-3-small"', "")],
  [
    "a model within the vectors only",
    LONG.replace(/,"model".*$/, "}").replace(/\}\]\}$/, ',"model":"x"}]}'),
  ],
  [
    "a model in a member behind them",
    LONG.replace(',"model":', ',"x":{"a":[0],"model":').replace(/\}$/, "}}"),
  ],
  ["vectors given twice", LONG.replace(/\}$/, ',"data":[]}')],
  ["an answer that was cut", LONG.slice(0, -1)],
  ["something behind the answer", `${LONG}}`],
  ["a long way from the model to the end", LONG.replace(/\}$/, `,"note":"${"x".repeat(3_000)}"}`)],
])("%s is left to the parser", (_, text) => {
  expect(readEmbeddingsFrame(text)).toBeNull();
});

test("the answer is the same as that of the parser", () => {
  const request = clientRequest('{"model":"openai/small","input":"a"}');
  const quick = openAiTranslation(request, "embeddings").whole(LONG);
  const parsing = { asksForStreamUsage: true, embeddings: <Answer>(answer: Answer) => answer };
  expect(quick).toEqual(openAiTranslation(request, "embeddings", parsing).whole(LONG));
  expect(quick.usage?.inputTokens).toBe(12);
  expect(quick.clientBody).toBe(LONG.replace("text-embedding-3-small", "openai/small"));
});
