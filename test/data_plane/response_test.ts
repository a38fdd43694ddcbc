import { describe, expect, test } from "bun:test";
import { answerContext, jsonResponse } from "../../src/data_plane/response.ts";

function headersFor(changes: { resetMs?: number; dropped?: readonly string[] }) {
  const context = answerContext(new Request("http://proxy.example/"), "id-1");
  context.rate = () => ({ limit: 60, remaining: 59, resetMs: changes.resetMs ?? 0 });
  context.dropped = changes.dropped ?? [];
  return jsonResponse("{}", context).headers;
}

describe("x-ratelimit-reset-requests", () => {
  test.each([
    [0, "0ms"],
    [0.2, "1ms"],
    [120, "120ms"],
    [999, "999ms"],
    [1_000, "1s"],
    [1_450, "1.5s"],
    [59_900, "59.9s"],
    [59_901, "1m0s"],
    [60_000, "1m0s"],
    [60_001, "1m1s"],
    [119_500, "2m0s"],
    [360_000, "6m0s"],
  ])("%d ms are %s", (resetMs, text) => {
    expect(headersFor({ resetMs }).get("x-ratelimit-reset-requests")).toBe(text);
  });
});

describe("x-inference-dropped-params", () => {
  test("names the fields", () => {
    const headers = headersFor({ dropped: ["seed", "logit_bias"] });
    expect(headers.get("x-inference-dropped-params")).toBe("seed,logit_bias");
  });

  test("is absent where nothing was left out", () => {
    expect(headersFor({}).has("x-inference-dropped-params")).toBe(false);
  });

  test("takes any name that a client may have chosen", () => {
    const headers = headersFor({ dropped: ["a\r\nset-cookie: x", "\u{1f600}", "\ud800", "x,y"] });
    expect(headers.get("x-inference-dropped-params")).toMatch(/^[\x21-\x7e]+$/);
    expect(headers.has("set-cookie")).toBe(false);
  });

  test("is bounded", () => {
    const dropped = Array.from({ length: 1000 }, (_, index) => `field_${index}`);
    const named = headersFor({ dropped }).get("x-inference-dropped-params") ?? "";
    expect(named.length).toBeLessThanOrEqual(1000);
  });
});
