const MODEL = "claude-sonnet-4-5-20250929";

const USAGE = {
  input_tokens: 61,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
  output_tokens: 44,
  service_tier: "standard",
};

const COMMON = {
  id: "msg_01XFDUDYJgAACzvnptvVoYEL",
  type: "message",
  role: "assistant",
  model: MODEL,
};

/** Returns a whole answer of the Messages API that says `text`. */
export function anthropicMessage(text: string): string {
  return JSON.stringify({
    ...COMMON,
    content: [{ type: "text", text }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: USAGE,
  });
}

/** Returns `count` events of a stream of the Messages API. */
export function anthropicEvents(count: number): string[] {
  const words = Array.from({ length: count - 6 }, (_, index) => ` word${index % 10}`);
  const start = { ...COMMON, content: [], stop_reason: null, stop_sequence: null };
  return [
    event({ type: "message_start", message: { ...start, usage: { ...USAGE, output_tokens: 1 } } }),
    event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
    event({ type: "ping" }),
    ...words.map((text) =>
      event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
    ),
    event({ type: "content_block_stop", index: 0 }),
    event({
      type: "message_delta",
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: { output_tokens: 44 },
    }),
    event({ type: "message_stop" }),
  ];
}

function event(data: { readonly type: string } & Record<string, unknown>): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}
