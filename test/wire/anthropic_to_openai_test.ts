import { expect, test } from "bun:test";
import fc from "fast-check";
import { isJsonObject, type Json, type JsonObject, parseJsonObject } from "../../src/std/json.ts";
import { AnthropicStream } from "../../src/wire/anthropic_stream.ts";
import { finishReason, refusalText, wholeAnswer } from "../../src/wire/anthropic_to_openai.ts";
import { UpstreamFault } from "../../src/wire/translation.ts";
import { answer, asText, eventsOf, PLAIN_FORM } from "./anthropic_answers.ts";

test.each([
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["pause_turn", "stop"],
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "length"],
  ["tool_use", "tool_calls"],
  ["refusal", "content_filter"],
  ["compaction", "stop"],
  ["reason_of_tomorrow", "stop"],
  [null, "stop"],
])("stop reason %p is finish reason %p", (stopReason, expected) => {
  expect(finishReason(stopReason, PLAIN_FORM, true)).toBe(expected);
});

test("a call that the client does not see ends the answer normally", () => {
  expect(finishReason("tool_use", PLAIN_FORM, false)).toBe("stop");
});

test("the older function interface has its own finish reason", () => {
  expect(finishReason("tool_use", { ...PLAIN_FORM, functionCall: true }, true)).toBe(
    "function_call",
  );
});

test("a refusal says something even if the provider does not", () => {
  expect(refusalText({ explanation: "Why." })).toBe("Why.");
  expect(refusalText({ explanation: null })).toBe(refusalText(undefined));
});

test("any text is answered, or is a fault of the upstream", () => {
  const body = fc.oneof(fc.string(), fc.json(), answer.map(damaged));
  fc.assert(
    fc.property(body, (text) => {
      try {
        expect(parseJsonObject(wholeAnswer(text, PLAIN_FORM).clientBody)).not.toBeNull();
      } catch (error) {
        if (!(error instanceof UpstreamFault)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});

test("an answer is the same whole and streamed", () => {
  fc.assert(
    fc.property(answer, fc.integer({ min: 1, max: 7 }), (message, pieceChars) => {
      const whole = wholeAnswer(JSON.stringify(message), PLAIN_FORM);
      const stream = new AnthropicStream(PLAIN_FORM);
      let text = "";
      for (const event of eventsOf(message, pieceChars)) {
        text += stream.push({ name: asText(event["type"]), data: JSON.stringify(event) });
      }
      text += stream.end(() => {
        throw new Error("Cannot estimate: usage was reported");
      });
      expect(folded(text)).toEqual(comparable(parseJsonObject(whole.clientBody) ?? {}));
      expect(stream.usage).toEqual(whole.usage);
      // A character that is cut in two counts for six bytes, not four.
      expect(stream.outputBytes).toBeGreaterThanOrEqual(whole.outputBytes);
      expect(stream.outputBytes).toBeLessThanOrEqual(1.5 * whole.outputBytes);
      expect(stream.servedModel).toBe(whole.servedModel);
    }),
    { numRuns: 500 },
  );
});

/** Puts a stream together as a client does. */
function folded(text: string): JsonObject {
  const message: JsonObject = {};
  const calls: JsonObject[] = [];
  const result: JsonObject = { message };
  for (const line of text.split("\n").filter((each) => each.startsWith("data: {"))) {
    const chunk = parseJsonObject(line.slice(6)) ?? {};
    const choice = Array.isArray(chunk["choices"]) ? chunk["choices"][0] : null;
    if (!isJsonObject(choice) || !isJsonObject(choice["delta"])) throw new Error("no choice");
    const { role: _role, tool_calls: called, thinking_blocks: blocks, ...texts } = choice["delta"];
    if (blocks !== undefined) message["thinking_blocks"] = blocks;
    for (const [name, value] of Object.entries(texts)) {
      if (typeof value === "string") message[name] = `${asText(message[name])}${value}`;
    }
    for (const call of Array.isArray(called) ? called.filter(isJsonObject) : []) fold(calls, call);
    if (choice["finish_reason"] !== null) result["finish_reason"] = choice["finish_reason"] ?? null;
    if (chunk["usage"] !== undefined) result["usage"] = chunk["usage"];
  }
  if (calls.length > 0) message["tool_calls"] = calls;
  return result;
}

function fold(calls: JsonObject[], call: JsonObject): void {
  const { index, function: part, ...first } = call;
  const { arguments: added, ...named } = isJsonObject(part) ? part : {};
  const known = calls[Number(index)];
  if (known === undefined) {
    expect(index).toBe(calls.length);
    calls.push({ ...first, function: { ...named, arguments: asText(added) } });
    return;
  }
  // Ids and names stand in the first delta alone.
  expect(Object.keys({ ...first, ...named })).toEqual([]);
  const target = known["function"];
  if (isJsonObject(target)) target["arguments"] = `${asText(target["arguments"])}${asText(added)}`;
}

/** What a whole answer and a stream have in common; no content and empty content look alike in a stream. */
function comparable(completion: JsonObject): JsonObject {
  const choice = Array.isArray(completion["choices"]) ? completion["choices"][0] : null;
  if (!isJsonObject(choice) || !isJsonObject(choice["message"])) throw new Error("no message");
  const { role: _role, content, refusal, ...rest } = choice["message"];
  const message: JsonObject = { ...rest, content: content ?? "" };
  if (refusal !== null && refusal !== undefined) message["refusal"] = refusal;
  return {
    message,
    finish_reason: choice["finish_reason"] ?? null,
    usage: completion["usage"] ?? null,
  };
}

/** A message of which one member is something else. */
function damaged(message: JsonObject): string {
  const strange: Json[] = [null, 7, "x", [], {}, [null, 1, { type: "text" }, { type: 7 }]];
  const names = Object.keys(message);
  const seed = JSON.stringify(message).length;
  const name = names[seed % names.length] ?? "content";
  return JSON.stringify({ ...message, [name]: strange[seed % strange.length] ?? null });
}
