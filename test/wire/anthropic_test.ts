import { expect, test } from "bun:test";
import type { MessageCreateParamsBase } from "@anthropic-ai/sdk/resources/messages";
import { type AnthropicRequest, IMAGE_MEDIA_TYPES } from "../../src/wire/anthropic.ts";

/** Fails to compile unless every request that we can write is one that the provider's own SDK can. */
function asSdkParams(request: AnthropicRequest): MessageCreateParamsBase {
  // Its current version knows a later version of the API, which has given up sampling parameters.
  const { temperature: _temperature, top_p: _topP, ...rest } = request;
  return rest;
}

/** Fails to compile if one of our members is unknown to the SDK. */
type Unknown = Exclude<keyof AnthropicRequest, keyof MessageCreateParamsBase>;
const unknownMembers: Record<Unknown, true> = { temperature: true, top_p: true };

test("a request of ours is a request of the provider's SDK", () => {
  const request: AnthropicRequest = {
    model: "claude-opus-4-8",
    max_tokens: 1,
    messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
    temperature: 1,
  };
  expect(asSdkParams(request)).toEqual({
    model: "claude-opus-4-8",
    max_tokens: 1,
    messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
  });
  expect(Object.keys(unknownMembers)).toEqual(["temperature", "top_p"]);
});

test("the image formats are those of the wire", () => {
  expect(IMAGE_MEDIA_TYPES).toEqual(["image/jpeg", "image/png", "image/gif", "image/webp"]);
});
