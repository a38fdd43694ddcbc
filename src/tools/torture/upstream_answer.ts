import type { Arrival } from "./upstream.ts";

/** Tokens that an upstream reports. */
export interface Reported {
  readonly input: number;
  readonly output: number;
}

/** How a stream goes. */
export interface StreamPlan {
  readonly reported: Reported;
  readonly pieces: number;
  readonly pieceDelayMs: number;
  /** Whether it ends as it should, without usage, or with a cut connection. */
  readonly end: "usage" | "silent" | "cut";
  /** What to wait for before the end. */
  readonly until?: Promise<unknown>;
}

/** Returns a whole answer, in the form of the operation that was asked for. */
export function wholeAnswer({ model, operation }: Arrival, { input, output }: Reported): Response {
  if (operation === "embeddings") {
    return Response.json({
      object: "list",
      model,
      data: [{ object: "embedding", index: 0, embedding: [0.5, 0.25] }],
      usage: { prompt_tokens: input, total_tokens: input },
    });
  }
  const message = { role: "assistant", content: "word ".repeat(output) };
  return Response.json({
    id: "chatcmpl-torture",
    object: "chat.completion",
    created: 1,
    model,
    choices: [{ index: 0, message, finish_reason: "stop" }],
    usage: usage({ input, output }),
  });
}

/** Returns an error as the provider would. */
export function errorAnswer(status: number): Response {
  const error = { message: "No", type: "server_error", param: null, code: null };
  return Response.json({ error }, { status });
}

/** Returns a stream that goes as planned. */
export function streamAnswer({ model }: Arrival, plan: StreamPlan): Response {
  const body = new ReadableStream({
    type: "direct",
    async pull(controller: ReadableStreamDirectController) {
      const send = async (data: string) => {
        void controller.write(`data: ${data}\n\n`);
        await controller.flush();
      };
      for (let piece = 0; piece < plan.pieces; piece += 1) {
        if (plan.pieceDelayMs > 0) await Bun.sleep(plan.pieceDelayMs);
        await send(chunk(model, { index: 0, delta: { content: "word " }, finish_reason: null }));
      }
      await plan.until;
      if (plan.end === "cut") {
        await new Promise(setImmediate);
        controller.close(new Error("Cut off on purpose"));
        return;
      }
      await send(chunk(model, { index: 0, delta: {}, finish_reason: "stop" }));
      if (plan.end === "usage") await send(chunk(model, null, plan.reported));
      await send("[DONE]");
      controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

function chunk(model: string, choice: object | null, reported?: Reported): string {
  return JSON.stringify({
    id: "chatcmpl-torture",
    object: "chat.completion.chunk",
    created: 1,
    model,
    choices: choice === null ? [] : [choice],
    ...(reported === undefined ? {} : { usage: usage(reported) }),
  });
}

function usage({ input, output }: Reported) {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}
