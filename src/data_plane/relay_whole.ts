import { type Translation, UpstreamFault } from "../wire/translation.ts";
import type { Flight } from "./flight.ts";
import type { Settle } from "./settle.ts";

/** Bounds a whole answer, in bytes: embeddings of a large batch are tens of megabytes. */
const MAX_ANSWER_BYTES = 256 << 20;

/**
 * Reads a whole answer, settles the call and returns the JSON text for the client.
 *
 * @throws {UpstreamFault} If the answer is none, or was cut.
 */
export async function relayWhole(
  upstream: Response,
  translation: Translation,
  flight: Flight,
  settle: Settle,
): Promise<string> {
  const text = await readText(upstream, flight);
  const answer = translation.whole(text);
  settle({
    ending: "completed",
    upstreamStatus: upstream.status,
    servedModel: answer.servedModel,
    usage: answer.usage,
    outputBytes: answer.outputBytes,
    generated: true,
  });
  return answer.clientBody;
}

async function readText(upstream: Response, flight: Flight): Promise<string> {
  const declared = Number(upstream.headers.get("content-length") ?? 0);
  if (declared > MAX_ANSWER_BYTES) {
    // What nobody reads would keep the connection open.
    upstream.body?.cancel().catch(() => {});
    throw new UpstreamFault("The provider sent too long an answer");
  }
  try {
    // The length is not always declared; what arrives counts as a sign of life all the same.
    return declared > 0 ? await upstream.text() : await readPieces(upstream, flight);
  } catch (error) {
    if (flight.signal.aborted) throw flight.signal.reason;
    if (error instanceof UpstreamFault) throw error;
    throw new UpstreamFault("The provider cut its answer off", { interrupted: true });
  }
}

async function readPieces(upstream: Response, flight: Flight): Promise<string> {
  const body: ReadableStream<Uint8Array> | null = upstream.body;
  if (body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const piece of body) {
    flight.heard();
    bytes += piece.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw new UpstreamFault("The provider sent too long an answer");
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}
