import { expect, test } from "bun:test";
import { ratesView } from "../../src/management_plane/rates_view.ts";

test("rates are shown with their unit, 0 too, and what is not there is not shown", () => {
  expect(ratesView({ input: 5, output: 0, cacheWrite1h: 7 })).toEqual({
    input_microcents_per_million_tokens: 5,
    output_microcents_per_million_tokens: 0,
    cache_write_1h_microcents_per_million_tokens: 7,
  });
});
