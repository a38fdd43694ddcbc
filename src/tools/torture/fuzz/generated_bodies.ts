import fc from "fast-check";
import { openAiRequest } from "../../../../test/wire/openai_requests.ts";
import { PROVIDER_IDS } from "../../../domain/provider.ts";
import { deepText, ODD_NAMES, ODD_NUMBERS, ODD_STRINGS, ODD_VALUES, wideText } from "./odd_json.ts";

/** What requests are made of, so that chance finds what looks at them. */
const NAMES =
  "model messages stream stream_options include_usage max_tokens max_completion_tokens n stop temperature top_p seed " +
  "tools tool_choice parallel_tool_calls functions function_call response_format json_schema schema logprobs " +
  "logit_bias user metadata store prediction reasoning_effort service_tier modalities audio input dimensions " +
  "encoding_format role content type text name arguments tool_calls tool_call_id function parameters strict " +
  "image_url url detail input_audio data format file file_data filename file_id refusal cache_control thinking";

const WORDS =
  "user assistant system developer tool function text image_url input_audio file refusal json_object json_schema auto " +
  "none required float base64 low high default flex ephemeral";

const name = fc.oneof(fc.constantFrom(...NAMES.split(" ")), fc.constantFrom(...ODD_NAMES));

/** Any value as a text, of which most are JSON. */
const { value } = fc.letrec<{ value: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "medium" },
    fc.constantFrom("null", "true", "1", '"Hi"', ...WORDS.split(" ").map((word) => `"${word}"`)),
    fc.constantFrom(...ODD_NUMBERS),
    fc.constantFrom(...ODD_STRINGS),
    fc.constantFrom(...ODD_VALUES),
    fc.string({ unit: "binary", maxLength: 8 }).map((text) => JSON.stringify(text)),
    tie("object"),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join()}]`),
  ),
  object: fc
    .array(fc.tuple(name, tie("value")), { maxLength: 6 })
    .map((members) => `{${members.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join()}}`),
}));

const large = fc
  .tuple(fc.constantFrom(deepText, wideText), fc.integer({ min: 2, max: 20_000 }), fc.boolean())
  .map(([make, size, asObject]) => make(size, asObject));

const model = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...PROVIDER_IDS).map((id) => `"${id}/some-model"`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '"openai/"',
      '"/x"',
      '"openai"',
      '"OPENAI/x"',
      '"openai/\\u0000"',
      '"nobody/x"',
    ),
  },
  { weight: 1, arbitrary: value },
);

const asked = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('"messages":[{"role":"user","content":"Hi"}]', '"input":"Hi"'),
  },
  { weight: 2, arbitrary: value.map((text) => `"messages":[{"role":"user","content":${text}}]`) },
  { weight: 2, arbitrary: value.map((text) => `"messages":${text}`) },
  { weight: 1, arbitrary: value.map((text) => `"input":${text}`) },
  { weight: 1, arbitrary: large.map((text) => `"messages":${text}`) },
);

/** Bodies made up member by member, some of them twice. */
const madeUp = fc
  .tuple(
    model,
    asked,
    fc.array(fc.tuple(name, fc.oneof({ weight: 20, arbitrary: value }, large)), { maxLength: 5 }),
  )
  .map(([named, question, members]) => {
    const rest = members.map(([key, text]) => `,${JSON.stringify(key)}:${text}`);
    return `{"model":${named},${question}${rest.join("")}}`;
  });

/** Bodies that are as a client may send them, with odd things inside, for every provider. */
const allowed = fc
  .tuple(fc.constantFrom(...PROVIDER_IDS), openAiRequest, fc.boolean())
  .map(([id, request, stream]) => {
    const text = JSON.stringify({ ...request, stream });
    return text.replace('"anthropic/', `"${id}/`);
  });

const body = fc.oneof(
  { weight: 3, arbitrary: madeUp },
  { weight: 2, arbitrary: allowed },
  { weight: 1, arbitrary: value },
);

/** Returns the texts of so many bodies. The same seed gives the same ones. */
export function generatedBodies(seed: number, count: number): readonly string[] {
  return fc.sample(body, { seed, numRuns: count });
}
