import * as v from "valibot";

const Text = v.string();
const CacheControl = v.strictObject({
  type: v.literal("ephemeral"),
  ttl: v.optional(v.picklist(["5m", "1h"])),
});
const cache = { cache_control: v.nullish(CacheControl) };
const Id = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]+$/));

/** A text block; the API refuses empty ones, which is checked where its own words can be used. */
export const TextBlock = v.strictObject({
  type: v.literal("text"),
  text: Text,
  citations: v.nullish(v.array(v.looseObject({ type: v.string() }))),
  ...cache,
});

const Base64Image = v.strictObject({
  type: v.literal("base64"),
  media_type: v.picklist(["image/jpeg", "image/png", "image/gif", "image/webp"]),
  data: v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]+={0,2}$/)),
});
const Url = v.strictObject({ type: v.literal("url"), url: v.pipe(v.string(), v.url()) });
const File = v.strictObject({ type: v.literal("file"), file_id: v.string() });

const ImageBlock = v.strictObject({
  type: v.literal("image"),
  source: v.variant("type", [Base64Image, Url, File]),
  ...cache,
});

const DocumentBlock = v.strictObject({
  type: v.literal("document"),
  source: v.variant("type", [
    v.strictObject({
      type: v.literal("base64"),
      media_type: v.literal("application/pdf"),
      data: v.string(),
    }),
    v.strictObject({
      type: v.literal("text"),
      media_type: v.literal("text/plain"),
      data: v.string(),
    }),
    Url,
    File,
  ]),
  title: v.nullish(v.string()),
  context: v.nullish(v.string()),
  citations: v.nullish(v.strictObject({ enabled: v.boolean() })),
  ...cache,
});

const ToolUseBlock = v.strictObject({
  type: v.literal("tool_use"),
  id: Id,
  name: v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,128}$/)),
  input: v.record(v.string(), v.unknown()),
  ...cache,
});

const ResultBlock = v.variant("type", [TextBlock, ImageBlock, DocumentBlock]);

const ToolResultBlock = v.strictObject({
  type: v.literal("tool_result"),
  tool_use_id: Id,
  content: v.optional(
    v.lazy((content) => (typeof content === "string" ? v.string() : v.array(ResultBlock))),
  ),
  is_error: v.optional(v.boolean()),
  ...cache,
});

const ThinkingBlock = v.strictObject({
  type: v.literal("thinking"),
  thinking: v.string(),
  signature: v.pipe(v.string(), v.nonEmpty()),
});
const RedactedThinkingBlock = v.strictObject({
  type: v.literal("redacted_thinking"),
  data: v.string(),
});

/** Every content block that a request may hold. */
export const Block = v.variant("type", [
  TextBlock,
  ImageBlock,
  DocumentBlock,
  ToolUseBlock,
  ToolResultBlock,
  ThinkingBlock,
  RedactedThinkingBlock,
]);
export type Block = v.InferOutput<typeof Block>;

/** A request's own breakpoint for caching, on a block or for the whole. */
export const cacheControl = CacheControl;
