import { expect, test } from "bun:test";
import { readAnswerContent } from "../../src/providers/mistral_answer_content.ts";
import type { Json } from "../../src/std/json.ts";

const thinking = (...texts: string[]): Json => ({
  type: "thinking",
  thinking: texts.map((text) => ({ type: "text", text })),
});

const CONTENTS: readonly (readonly [
  parts: Json[],
  text: string | null,
  reasoning: string | null,
])[] = [
  [
    [
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ],
    "ab",
    null,
  ],
  [[thinking("x", "y"), { type: "text", text: "a" }, thinking("z")], "a", "xyz"],
  [[{ type: "thinking", thinking: "x" }], null, "x"],
  [[{ type: "thinking", thinking: [{ type: "reference", reference_ids: [1] }] }], null, ""],
  [
    [
      { type: "text", text: "a" },
      { type: "reference", reference_ids: [1] },
      { type: "image_url", image_url: "u" },
    ],
    "a",
    null,
  ],
  [["a", null, { type: "text" }], "a", null],
  [[], null, null],
];

test.each(CONTENTS)("readAnswerContent() reads %j", (parts, text, reasoning) => {
  expect(readAnswerContent(parts)).toEqual({ text, reasoning });
});
