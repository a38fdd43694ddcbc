import { expect, test } from "bun:test";
import type { Json } from "../../src/std/json.ts";
import type { AnthropicRequest, TextBlock } from "../../src/wire/anthropic.ts";
import {
  cacheControl,
  limitCacheBreakpoints,
  MAX_CACHE_BREAKPOINTS,
} from "../../src/wire/openai_to_anthropic_cache.ts";

test.each<[Json, Json]>([
  [{}, null],
  [{ cache_control: null, prompt_cache_breakpoint: null }, null],
  [{ cache_control: { type: "ephemeral" } }, { type: "ephemeral" }],
  [
    { cache_control: { type: "ephemeral", ttl: "1h", scope: "x" } },
    { type: "ephemeral", ttl: "1h" },
  ],
  [{ prompt_cache_breakpoint: { mode: "explicit" } }, { type: "ephemeral" }],
  [{ prompt_cache_breakpoint: { mode: "explicit", ttl: "30m" } }, { type: "ephemeral", ttl: "1h" }],
  [{ prompt_cache_breakpoint: { mode: "explicit", ttl: "12h" } }, { type: "ephemeral", ttl: "1h" }],
])("%j marks %j", (part, control) => {
  if (typeof part !== "object" || part === null || Array.isArray(part)) throw new Error("no part");
  expect<unknown>(cacheControl(part, "p") ?? null).toEqual(control);
});

test.each<[Json, string]>([
  [{ cache_control: "ephemeral" }, "p.cache_control"],
  [{ cache_control: { type: "eternal" } }, "p.cache_control"],
  [{ cache_control: { type: "ephemeral", ttl: "2h" } }, "p.cache_control.ttl"],
  [{ prompt_cache_breakpoint: true }, "p.prompt_cache_breakpoint"],
  [{ prompt_cache_breakpoint: { ttl: "5m" } }, "p.prompt_cache_breakpoint.ttl"],
])("%j is refused at %s", (part, param) => {
  if (typeof part !== "object" || part === null || Array.isArray(part)) throw new Error("no part");
  expect(() => cacheControl(part, "p")).toThrow(expect.objectContaining({ param }));
});

test("the last breakpoints are kept, in the order in which a prompt is read", () => {
  const marked = (text: string): TextBlock => {
    return { type: "text", text, cache_control: { type: "ephemeral" } };
  };
  const request: AnthropicRequest = {
    model: "m",
    max_tokens: 1,
    messages: [
      { role: "user", content: [marked("u1"), { type: "text", text: "u2" }] },
      {
        role: "assistant",
        content: [{ type: "thinking", thinking: "x", signature: "s" }, marked("a")],
      },
      { role: "user", content: [marked("u3")] },
    ],
    system: [marked("s1"), marked("s2")],
    tools: [
      {
        name: "f",
        input_schema: { type: "object" },
        cache_control: { type: "ephemeral" },
      },
    ],
  };
  limitCacheBreakpoints(request);
  const kept = JSON.stringify(request).split('"cache_control"').length - 1;
  expect(kept).toBe(MAX_CACHE_BREAKPOINTS);
  expect(request.tools?.[0]?.cache_control).toBeUndefined();
  expect(request.system?.map((block) => block.cache_control !== undefined)).toEqual([false, true]);
});
