import * as v from "valibot";
import { count } from "./shapes.ts";

/** What each rate is for, by its name in requests and answers. */
export const RATES_ABOUT = {
  input_microcents_per_million_tokens: "Input",
  output_microcents_per_million_tokens: "Output",
  cache_read_microcents_per_million_tokens: "Input that a cache answered; else it costs as input",
  cache_write_microcents_per_million_tokens: "Input written to a cache; else it costs as input",
  cache_write_1h_microcents_per_million_tokens:
    "Input written to a cache for an hour; else it costs as other cache writes",
  input_audio_microcents_per_million_tokens: "Audio input; else it costs as input",
  output_audio_microcents_per_million_tokens: "Audio output; else it costs as output",
} as const;

/** A rate as requests and answers name it. */
export type RateName = keyof typeof RATES_ABOUT;

function rate(name: RateName) {
  return v.optional(count(RATES_ABOUT[name]));
}

/** The rates that an answer shows: those that there are. */
export const Rates = {
  input_microcents_per_million_tokens: rate("input_microcents_per_million_tokens"),
  output_microcents_per_million_tokens: rate("output_microcents_per_million_tokens"),
  cache_read_microcents_per_million_tokens: rate("cache_read_microcents_per_million_tokens"),
  cache_write_microcents_per_million_tokens: rate("cache_write_microcents_per_million_tokens"),
  cache_write_1h_microcents_per_million_tokens: rate(
    "cache_write_1h_microcents_per_million_tokens",
  ),
  input_audio_microcents_per_million_tokens: rate("input_audio_microcents_per_million_tokens"),
  output_audio_microcents_per_million_tokens: rate("output_audio_microcents_per_million_tokens"),
} as const;
