import { expect, test } from "bun:test";
import { openAiChatRequest } from "../../src/providers/openai_chat_request.ts";
import { clientRequest } from "../support/translate.ts";

function rewritten(model: string, fields: object) {
  const request = clientRequest(JSON.stringify({ model: `openai/${model}`, ...fields }));
  return { ...openAiChatRequest(request), request };
}

for (const model of ["o1", "o3-mini", "o4-mini-2025-04-16", "gpt-5", "gpt-5.1", "gpt-6.1-mini"]) {
  test(`max_tokens goes to ${model} under its newer name`, () => {
    const { body, dropped } = rewritten(model, { max_tokens: 9 });
    expect(body).toEqual({ model: `openai/${model}`, max_completion_tokens: 9 });
    expect(dropped).toEqual([]);
  });
}

for (const model of ["gpt-4o", "gpt-4.1-mini", "gpt-3.5-turbo", "omni-moderation", "my-gpt-5"]) {
  test(`max_tokens goes to ${model} as it is`, () => {
    const { body, request } = rewritten(model, { max_tokens: 9 });
    expect(body).toBe(request.body);
  });
}

test("a request with both caps, or with none, is not touched", () => {
  for (const fields of [
    { max_tokens: 9, max_completion_tokens: 8 },
    { max_completion_tokens: 8 },
    { max_tokens: null },
    {},
  ]) {
    const { body, request } = rewritten("gpt-5", fields);
    expect(body).toBe(request.body);
  }
});
