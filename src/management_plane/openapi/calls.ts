import * as v from "valibot";
import { RATE_KINDS, RATE_NAMES } from "../../domain/price.ts";
import { answer, type RouteGroup } from "../../std/route_description.ts";
import type { ManagementErrorCode } from "../error_response.ts";
import { Rates } from "./rates.ts";
import { count, EXAMPLE_PROVIDER, id, label, provider, time, word, yes } from "./shapes.ts";

const CallUsage = v.strictObject({
  input_tokens: count("All input, cached tokens included"),
  cache_read_tokens: count("The part of the input that a cache answered"),
  cache_write_tokens: count("The part of the input written to a cache"),
  cache_write_1h_tokens: count("The part of the cache writes kept for an hour"),
  input_audio_tokens: count("The part of the input that was audio"),
  output_tokens: count("All output, reasoning included"),
  reasoning_tokens: count("The part of the output spent on reasoning"),
  output_audio_tokens: count("The part of the output that was audio"),
  total_tokens: count("Input and output: what a token ceiling counts"),
});

const CallPrice = v.strictObject({
  percent: v.nullable(
    count("What the host charges in percent of the list price, contained in the rates"),
  ),
  tier_above_input_tokens: v.nullable(
    count("The input tokens above which these rates hold; null for ordinary ones"),
  ),
  ...Rates,
});

const Charge = v.strictObject({
  kind: word(
    RATE_KINDS.map((kind) => RATE_NAMES[kind]),
    "Which rate is charged",
  ),
  tokens: count("How many tokens at this rate"),
  microcents_per_million_tokens: count("The rate"),
});

/** One call: what it used and how its cost was computed. */
export const Call = v.strictObject({
  id: id("The `x-request-id` of its answer"),
  key_id: id("The inference key that made it"),
  provider: provider("Where it went"),
  operation: word(["chat", "embeddings"], "What was asked for"),
  model: label("The model as the client named it: `provider/model`"),
  served_model: v.nullable(label("The model that the provider says it used")),
  streamed: yes("Whether the answer was streamed"),
  admitted_at: time("When it was admitted: the month that it counts in"),
  ended_at: v.nullable(time("When it ended; null while it is in flight")),
  state: word(
    ["pending", "posted", "voided", "expired"],
    "Pending while in flight, posted when charged, voided when nothing was generated, expired when a crash ended it",
  ),
  ending: v.nullable(
    word(
      ["completed", "client_closed", "upstream_failed", "shutdown"],
      "How it ended; null while it is in flight",
    ),
  ),
  upstream_status: v.nullable(count("The status that the provider answered with")),
  estimated: yes("Whether the usage was estimated, because no provider reported it"),
  held_tokens: count("The tokens held for it when it was admitted"),
  held_cost_microcents: count("The cost held for it when it was admitted"),
  usage: CallUsage,
  cost_microcents: count("What it cost: the sum of the charges, rounded up once"),
  price_id: v.nullable(label("Which price was charged, such as `openai/gpt-5@2026-09-23`")),
  price: v.nullable(CallPrice),
  charges: v.array(Charge),
});

const EXAMPLE: v.InferInput<typeof Call> = {
  id: "019ecb27-2200-7440-b544-0000000000aa",
  key_id: "019ecb27-2200-7440-b544-a91c04f7e6d2",
  provider: EXAMPLE_PROVIDER,
  operation: "chat",
  model: "openai/gpt-4o-mini",
  served_model: "gpt-4o-mini-2024-07-18",
  streamed: true,
  admitted_at: "2026-06-15T12:00:00Z",
  ended_at: "2026-06-15T12:00:02Z",
  state: "posted",
  ending: "completed",
  upstream_status: 200,
  estimated: false,
  held_tokens: 4_110,
  held_cost_microcents: 247_000,
  usage: {
    input_tokens: 1000,
    cache_read_tokens: 600,
    cache_write_tokens: 0,
    cache_write_1h_tokens: 0,
    input_audio_tokens: 0,
    output_tokens: 200,
    reasoning_tokens: 0,
    output_audio_tokens: 0,
    total_tokens: 1200,
  },
  cost_microcents: 22_500,
  price_id: "openai/gpt-4o-mini@2026-09-23",
  price: {
    percent: 100,
    tier_above_input_tokens: null,
    input_microcents_per_million_tokens: 15_000_000,
    output_microcents_per_million_tokens: 60_000_000,
    cache_read_microcents_per_million_tokens: 7_500_000,
  },
  charges: [
    { kind: "input", tokens: 400, microcents_per_million_tokens: 15_000_000 },
    { kind: "output", tokens: 200, microcents_per_million_tokens: 60_000_000 },
    { kind: "cache_read", tokens: 600, microcents_per_million_tokens: 7_500_000 },
  ],
};

export const calls: RouteGroup<ManagementErrorCode> = {
  name: "Calls",
  about:
    "The record of each call: sizes and cost, never content. It is kept for a time that the operator chooses.",
  schemas: { Call },
  routes: {
    "GET /organizations/{orgId}/inference/calls/{callId}": {
      id: "getCall",
      summary: "Get a call",
      about: "The arithmetic of its cost: tokens, rates, charges.",
      answers: { 200: answer("The call", Call, EXAMPLE) },
      errors: ["call_not_found"],
    },
  },
};
