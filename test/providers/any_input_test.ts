import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ProxyError } from "../../src/domain/errors.ts";
import { PROVIDERS } from "../../src/providers/registry.ts";
import type { Json, JsonObject } from "../../src/std/json.ts";
import { type ClientRequest, UpstreamFault } from "../../src/wire/translation.ts";
import { clientRequest } from "../support/translate.ts";

// Names and words that the rewriting looks for, so that chance finds its branches.
const NAMES =
  "messages tools tool_choice role content type text function name arguments tool_calls id index refusal " +
  "reasoning reasoning_content input_audio image_url file file_data detail url data audio function_call " +
  "allowed_tools mode max_tokens max_completion_tokens temperature seed n logprobs logit_bias metadata " +
  "response_format json_schema schema prediction reasoning_effort service_tier stream_options user input " +
  "dimensions encoding_format choices delta message finish_reason usage x_groq error object embedding " +
  "thinking content_filter_offsets prompt_tokens __proto__ constructor";
const WORDS =
  "user assistant tool system developer text image_url file refusal thinking custom allowed_tools auto " +
  "json_schema base64 max default error model_length stop null";

const name = fc.constantFrom(...NAMES.split(" "));
const { value } = fc.letrec<{ value: Json; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    fc.constantFrom<Json>(null, true, false, 0, 1, -1, 0.5, "", ...WORDS.split(" ")),
    fc.string({ maxLength: 4 }),
    tie("object"),
    fc.array(tie("value"), { maxLength: 4 }),
  ),
  object: fc
    .array(fc.tuple(name, tie("value")), { maxLength: 6 })
    .map((members) => Object.fromEntries(members)),
}));
const object = fc
  .array(fc.tuple(name, value), { maxLength: 8 })
  .map((members): JsonObject => Object.fromEntries(members));

function request(body: JsonObject): ClientRequest {
  return clientRequest(JSON.stringify({ ...body, model: "groq/openai/gpt-oss-20b" }));
}

/** Runs and expects nothing to be thrown but what the caller is told to expect. */
function runs<T>(run: () => T, expected: typeof ProxyError | typeof UpstreamFault): T | null {
  try {
    return run();
  } catch (error) {
    if (error instanceof expected) return null;
    throw error;
  }
}

describe.each(Object.values(PROVIDERS).filter(({ quirks }) => quirks !== undefined))(
  "$id",
  (provider) => {
    const quirks = provider.quirks;

    test("rewrites or refuses any request, and changes nothing in place", () => {
      fc.assert(
        fc.property(object, (body) => {
          const given = request(body);
          const before = JSON.stringify(given.body);
          for (const rewrite of [
            () => quirks?.chatRequest?.(given),
            () => quirks?.embeddingsRequest?.(given),
          ]) {
            const rewritten = runs(rewrite, ProxyError);
            if (rewritten) expect(JSON.stringify(rewritten.body)).toStartWith("{");
            expect(JSON.stringify(given.body)).toBe(before);
          }
        }),
        { numRuns: 500 },
      );
    });

    test("rewrites any answer or calls it a fault, and changes nothing in place", () => {
      fc.assert(
        fc.property(fc.array(object, { maxLength: 4 }), object, (answers, body) => {
          const given = request(body);
          const before = JSON.stringify(answers);
          const chunks = quirks?.chunks?.();
          for (const answer of answers) {
            runs(() => quirks?.completion?.(answer), UpstreamFault);
            runs(() => quirks?.embeddings?.(answer, given), UpstreamFault);
            runs(() => chunks?.(answer), UpstreamFault);
          }
          expect(JSON.stringify(answers)).toBe(before);
        }),
        { numRuns: 500 },
      );
    });
  },
);
