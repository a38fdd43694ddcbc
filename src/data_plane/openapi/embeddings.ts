import * as v from "valibot";
import type { ErrorCode } from "../../domain/errors.ts";
import { answer, body, type RouteGroup } from "../../std/route_description.ts";
import { EmbeddingsBody } from "../call.ts";
import { Usage } from "./completion.ts";
import { CALL_ERRORS } from "./errors.ts";

const Text = v.pipe(v.string(), v.minLength(1));
const TokenIds = v.pipe(
  v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  v.minLength(1),
);

/** What can be embedded, as the door judges it by hand. */
const Input = v.union([
  Text,
  v.pipe(v.array(Text), v.minLength(1)),
  TokenIds,
  v.pipe(v.array(TokenIds), v.minLength(1)),
]);

/** Vectors, in the order of the inputs. */
export const EmbeddingList = v.looseObject({
  object: v.literal("list"),
  data: v.array(
    v.looseObject({
      object: v.literal("embedding"),
      index: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
      embedding: v.pipe(
        v.union([v.array(v.number()), v.string()]),
        v.description("Numbers, or their little-endian 32-bit floats in base64"),
      ),
    }),
  ),
  id: v.optional(v.pipe(v.string(), v.description("Where the provider names its answers"))),
  model: v.pipe(
    v.string(),
    v.description("The model as the client asked for it: `provider/model`"),
  ),
  usage: Usage,
});

export const embeddings: RouteGroup<ErrorCode> = {
  name: "Embeddings",
  about: "Vectors of texts. Every provider but Anthropic has them.",
  schemas: { EmbeddingList },
  routes: {
    "POST /inference/v1/embeddings": {
      id: "createEmbeddings",
      summary: "Embed texts",
      about:
        "Takes every field of OpenAI's embeddings; listed are those that the proxy itself decides by.",
      body: body(
        EmbeddingsBody,
        {
          model: "`provider/model`",
          input: "What to embed",
          encoding_format: "How to write the vectors",
        },
        { model: "openai/text-embedding-3-small", input: ["hello", "world"] },
        { input: Input },
      ),
      answers: {
        200: answer("The vectors", EmbeddingList, {
          object: "list",
          data: [
            { object: "embedding", index: 0, embedding: [0.0123, -0.0456, 0.0789] },
            { object: "embedding", index: 1, embedding: [-0.0321, 0.0654, -0.0987] },
          ],
          model: "openai/text-embedding-3-small",
          usage: { prompt_tokens: 2, total_tokens: 2 },
        }),
      },
      errors: CALL_ERRORS,
    },
  },
};
