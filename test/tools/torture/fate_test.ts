import { describe, expect, test } from "bun:test";
import type { Answered } from "../../../src/tools/torture/client.ts";
import { fateOf, meaningOf, WrongAnswer } from "../../../src/tools/torture/faults/fate.ts";

const STREAM = { model: "m-1", operation: "chat", stream: true } as const;
const WHOLE = { ...STREAM, stream: false };

const FIRST = 'data: {"id":"a","created":1,"model":"openai/m-1","n":1}\n\n';
const SECOND = 'data: {"id":"a","created":1,"n":2}\n\n';
const DONE = "data: [DONE]\n\n";
const ERROR =
  'data: {"error":{"message":"Cut","type":"server_error","param":null,"code":"upstream_error"}}\n\n';
const REFUSAL = '{"error":{"message":"No","type":"t","param":null,"code":"upstream_error"}}';

const EXPECTED_STREAM = meaningOf(FIRST + SECOND + DONE, STREAM);
const EXPECTED_WHOLE = meaningOf('{"id":"a","created":1,"model":"openai/m-1"}', WHOLE);

function answered(text: string | null, status: number | null = 200): Answered {
  return { status, text, headers: new Headers({ "x-request-id": "1" }) };
}

describe("the fate of a stream", () => {
  const FATES: [text: string, fate: string][] = [
    [FIRST + SECOND + DONE, "complete"],
    [`: ping\n\n${FIRST}: ping\n\n${SECOND}${DONE}`, "complete"],
    [FIRST.replaceAll("m-1", "m-2").replace("m-2", "m-1") + SECOND + DONE, "complete"],
    [FIRST.replace('"id":"a"', '"id":"b"') + SECOND + DONE, "complete"],
    [FIRST + DONE, "odd"],
    [FIRST + ERROR, "broken"],
    [FIRST + SECOND + ERROR, "broken"],
  ];
  test.each(FATES)("of %j is %s", (text, fate) => {
    expect(fateOf(answered(text), STREAM, EXPECTED_STREAM)).toBe(fate as "complete");
  });

  const WRONG: [what: string, text: string | null][] = [
    ["that was cut off", null],
    ["that just ends", FIRST + SECOND],
    ["that ends in an event", `${FIRST}data: {`],
    ["that is done and broken", FIRST + DONE + ERROR],
    ["of others, broken", SECOND + ERROR],
    ["with an event that is no JSON", `${FIRST}data: {\n\n${DONE}`],
    ["with an error without a code", FIRST + ERROR.replace("upstream_error", "oops")],
    ["with something that is no event", `${FIRST}garbage\n\n${DONE}`],
    ["of nothing", ""],
  ];
  test.each(WRONG)("%s is none", (_, text) => {
    expect(() => fateOf(answered(text), STREAM, EXPECTED_STREAM)).toThrow(WrongAnswer);
  });
});

describe("the fate of a whole answer", () => {
  test("is complete, or odd if it says something else", () => {
    const same = answered('{"id":"b","created":2,"model":"openai/m-1"}');
    expect(fateOf(same, WHOLE, EXPECTED_WHOLE)).toBe("complete");
    expect(fateOf(answered('{"model":"x"}'), WHOLE, EXPECTED_WHOLE)).toBe("odd");
  });

  test("is a refusal if the error says that the provider failed", () => {
    expect(fateOf(answered(REFUSAL, 502), WHOLE, EXPECTED_WHOLE)).toBe("refused");
    const late = REFUSAL.replace("upstream_error", "upstream_timeout");
    expect(fateOf(answered(late, 504), WHOLE, EXPECTED_WHOLE)).toBe("refused");
  });

  const WRONG: [what: string, answer: Answered][] = [
    ["no answer", answered(null, null)],
    ["half an answer", answered('{"id"')],
    ["a list", answered("[]")],
    ["an error of ours", answered(REFUSAL.replace("upstream_error", "internal_error"), 500)],
    ["another code", answered(REFUSAL.replace("upstream_error", "internal_error"), 502)],
    ["a status without its code", answered(REFUSAL, 504)],
    ["an error without a message", answered(REFUSAL.replace('"No"', '""'), 502)],
    ["a body without an error", answered("{}", 502)],
    ["an answer without an id", { ...answered("{}"), headers: new Headers() }],
  ];
  test.each(WRONG)("cannot be %s", (_, answer) => {
    expect(() => fateOf(answer, WHOLE, EXPECTED_WHOLE)).toThrow(WrongAnswer);
  });
});
