import { expect, test } from "bun:test";
import { sendOutputCap } from "../../src/providers/output_cap.ts";

test("sendOutputCap() sends the cap under the name that is wanted", () => {
  const older = { body: { max_tokens: 5, n: 1 }, dropped: [] };
  const newer = { body: { max_completion_tokens: 6, n: 1 }, dropped: [] };
  expect(sendOutputCap(older, "max_tokens")).toBe(older);
  expect(sendOutputCap(newer, "max_completion_tokens")).toBe(newer);
  expect(sendOutputCap(older, "max_completion_tokens").body).toEqual({
    max_completion_tokens: 5,
    n: 1,
  });
  expect(sendOutputCap(newer, "max_tokens").body).toEqual({ max_tokens: 6, n: 1 });
});

test("sendOutputCap() lets the newer name win and names the older one as left out", () => {
  const both = { body: { max_tokens: 5, max_completion_tokens: 6 }, dropped: ["store"] };
  for (const name of ["max_tokens", "max_completion_tokens"] as const) {
    expect(sendOutputCap(both, name)).toEqual({
      body: { [name]: 6 },
      dropped: ["store", "max_tokens"],
    });
  }
});

test("sendOutputCap() adds no cap where there is none", () => {
  const none = { body: { n: 1 }, dropped: [] };
  expect(sendOutputCap(none, "max_tokens")).toBe(none);
});
