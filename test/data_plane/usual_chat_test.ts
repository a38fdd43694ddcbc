import { expect, test } from "bun:test";
import fc from "fast-check";
import * as v from "valibot";
import { ChatBody } from "../../src/data_plane/call.ts";
import { isUsualChat } from "../../src/data_plane/usual_chat.ts";
import type { JsonObject } from "../../src/std/json.ts";

const USUAL: JsonObject = {
  model: "openai/gpt-5",
  messages: [
    { role: "system", content: "Be brief" },
    { role: "user", content: [{ type: "text", text: "Hello" }] },
  ],
};

for (const [about, more] of Object.entries<JsonObject>({
  "a conversation": {},
  "one that is not streamed": { stream: false, temperature: 0.5, tools: [{}] },
  "a stream that tells its usage": { stream: true, stream_options: { include_usage: true } },
  "one with limits": { max_tokens: 1, max_completion_tokens: 4096 },
}))
  test(`${about} is usual`, () => expect(isUsualChat({ ...USUAL, ...more })).toBe(true));

test("whatever is usual is what the schema takes", () => {
  const anyValue = fc.oneof(
    fc.constantFrom<unknown[]>(
      null,
      undefined,
      true,
      "",
      "a b",
      "\u00e9",
      "x",
      "x".repeat(201),
      "a\n",
    ),
    fc.constantFrom<unknown[]>(0, 1, -1, 1.5, 2 ** 53, Number.NaN, [], [1], {}),
    fc.array(fc.record({ role: fc.oneof(fc.string(), fc.jsonValue()) })),
    fc.record({ include_usage: fc.oneof(fc.boolean(), fc.jsonValue()) }),
    fc.jsonValue(),
  );
  const anyName = fc.constantFrom(
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "n",
    "temperature",
  );
  let usual = 0;
  fc.assert(
    fc.property(fc.dictionary(anyName, anyValue, { maxKeys: 2 }), (changes) => {
      const body = { ...USUAL, ...changes };
      if (!isUsualChat(body as JsonObject)) return;
      usual += 1;
      expect(v.is(ChatBody, body)).toBe(true);
    }),
    { numRuns: 3000 },
  );
  expect(usual).toBeGreaterThan(300);
});
