import { expect, test } from "bun:test";
import type { Price, Rates } from "../../src/domain/price.ts";
import { readRates, writeRates } from "../../src/store/price_rates.ts";

test("rates are read as they were written, the same text for the same object", () => {
  const rates: Rates = { input: 300_000_000, output: 0, cacheWrite1h: 600_000_000 };
  const text = writeRates(rates);
  expect(readRates(text)).toEqual(rates);
  expect(writeRates(rates)).toBe(text);
});

test("of a price only its rates are written", () => {
  const price: Price & { from: string; above: number } = {
    input: 1,
    tiers: [{ above: 5, input: 2 }],
    from: "2026-01-01",
    above: 7,
  };
  expect(writeRates(price)).toBe('{"input":1}');
});
