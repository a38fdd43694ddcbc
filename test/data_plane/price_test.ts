import { expect, test } from "bun:test";
import { priceOf } from "../../src/data_plane/price.ts";
import { FALLBACK_PRICE } from "../../src/providers/price_book.ts";
import { PROVIDERS } from "../../src/providers/registry.ts";
import type { ModelPriceRecord } from "../../src/store/directory.ts";

const NOW_MS = Date.UTC(2026, 8, 1);

const ours = (input: number): ModelPriceRecord => ({ id: `own-${input}`, rates: { input } });

function find(
  prices: Readonly<Record<string, ModelPriceRecord>>,
  servedModel: string | null,
  upstreamModel = "gpt-4o-mini",
) {
  const own = new Map(Object.entries(prices));
  const target = { provider: PROVIDERS.openai, upstreamModel, pricePercent: 110, prices: own };
  return priceOf(target, servedModel, NOW_MS);
}

test("without prices of its own an organization pays the catalogue's for the model served", () => {
  const found = find({}, "gpt-4o");
  expect(found.priceId).toStartWith("openai/gpt-4o@");
  expect(found).toMatchObject({ percent: 110, fallback: false });
  expect(find({}, null).priceId).toStartWith("openai/gpt-4o-mini@");
  expect(find({}, "unheard-of").priceId).toStartWith("openai/gpt-4o-mini@");
});

test("a model that nobody has a price for is charged at the fallback, marked as such", () => {
  const found = find({ "openai/other": ours(1) }, null, "unheard-of");
  expect(found).toMatchObject({ price: FALLBACK_PRICE, fallback: true, percent: 110 });
});

test("an own price of the model asked for goes before that of the model served", () => {
  const prices = { "openai/gpt-4o-mini": ours(1), "openai/gpt-4o": ours(2) };
  expect(find(prices, "gpt-4o").priceId).toBe("own-1");
  expect(find({ "openai/gpt-4o": ours(2) }, "gpt-4o").priceId).toBe("own-2");
  expect(find({ "openai/gpt-4o": ours(2) }, null).priceId).toStartWith("openai/gpt-4o-mini@");
  expect(find({ "groq/gpt-4o-mini": ours(3) }, null).priceId).toStartWith("openai/gpt-4o-mini@");
});

test("an own price is what the host charges: nothing is added, not even to nothing", () => {
  const found = find({ "openai/unheard-of": ours(0) }, null, "unheard-of");
  expect(found).toEqual({
    price: { input: 0 },
    priceId: "own-0",
    fallback: false,
    percent: 100,
  });
});

test("an alias has the catalogue's price, and the host's addition to it", () => {
  const alias: ModelPriceRecord = {
    aliasOf: { provider: "anthropic", model: "claude-sonnet-4-5" },
  };
  const found = find({ "openai/house-blend": alias }, null, "house-blend");
  expect(found.priceId).toStartWith("anthropic/claude-sonnet-4-5@");
  expect(found).toMatchObject({ percent: 110, fallback: false });
});

test("an alias of a model that left the catalogue counts for nothing", () => {
  const alias: ModelPriceRecord = { aliasOf: { provider: "openai", model: "gone" } };
  expect(find({ "openai/gpt-4o-mini": alias }, null).priceId).toStartWith("openai/gpt-4o-mini@");
});
