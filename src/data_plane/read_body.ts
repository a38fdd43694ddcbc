import { ProxyError } from "../domain/errors.ts";
import { ClientClosedError } from "./flight.ts";
import type { Slot } from "./slots.ts";

/** A request whose body is still on its way. */
export interface BodySource {
  readonly request: Request;
  /** Ends the connection after it was idle for this long, in seconds; too slow a body counts as none. */
  readonly idleTimeout: (seconds: number) => void;
}

export interface BodyLimits {
  readonly bytesMax: number;
  /** Counts the bytes against what all requests may have in memory. */
  readonly slot: Slot;
}

/** What every body is given, in seconds. */
const BODY_S = 10;

/** What it is given for each second more, in bytes. */
const BODY_BYTES_PER_S = 32 << 10;

/**
 * A longer body counts as it arrives, in bytes: else a few connections that only declare bodies would take all the
 * memory there is for them.
 */
const COUNTED_WHOLE_BYTES_MAX = 64 << 10;

/** The server's timers take no more, in seconds. */
const TIMER_S_MAX = 255;

/**
 * Reads a request body as text. A body that comes too slowly ends with its connection: it has a time of its own,
 * and the server counts a body as idle that brings less than 16 KiB a second in that time.
 *
 * @throws {ProxyError} If it is longer than `bytesMax`, is encoded in some way, or is not UTF-8; `overloaded` if
 *   there is no memory for it.
 * @throws {ClientClosedError} If the connection ends before all of it is there.
 */
export async function readBody(source: BodySource, limits: BodyLimits): Promise<string> {
  const { headers } = source.request;
  const encoding = headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    throw malformed(`a body with content-encoding "${encoding}" is not read`);
  }
  const declared = declaredLength(headers);
  if (declared !== null && declared > limits.bytesMax) throw tooLarge(limits.bytesMax);
  source.idleTimeout(Math.min(TIMER_S_MAX, BODY_S + Math.ceil((declared ?? 0) / BODY_BYTES_PER_S)));
  let bytes: Uint8Array | ArrayBuffer;
  try {
    bytes = await readBytes(source.request, declared, limits);
  } catch (error) {
    if (source.request.signal.aborted) throw new ClientClosedError();
    throw error;
  }
  try {
    return UTF_8.decode(bytes);
  } catch {
    throw malformed("the body is not UTF-8");
  }
}

const UTF_8 = new TextDecoder("utf-8", { fatal: true });

/** Refuses a body that cannot be understood at all. */
export function malformed(what: string): ProxyError {
  return new ProxyError("invalid_model", `Cannot read request: ${what}`);
}

/** Returns null if no length is declared. The server takes a length that is given twice, and joins the two. */
function declaredLength(headers: Headers): number | null {
  const length = headers.get("content-length");
  if (length === null) return null;
  if (!/^\d+$/.test(length)) throw malformed("its content-length is not one number");
  return Number(length);
}

function readBytes(
  request: Request,
  declared: number | null,
  { bytesMax, slot }: BodyLimits,
): Promise<Uint8Array | ArrayBuffer> {
  if (declared !== null && declared <= COUNTED_WHOLE_BYTES_MAX) {
    slot.holdBody(declared);
    return request.arrayBuffer();
  }
  slot.requireRoom(declared ?? 0);
  return readPieces(request, { bytesMax, slot });
}

async function readPieces(request: Request, { bytesMax, slot }: BodyLimits): Promise<Uint8Array> {
  const body: ReadableStream<Uint8Array> | null = request.body;
  if (body === null) return new Uint8Array();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.byteLength;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    slot.holdBody(piece.byteLength);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Leaves the connection open: what still comes is skipped. Closed, it would be reset before this is read. */
function tooLarge(bytesMax: number): ProxyError {
  const message = `Cannot read request: its body is longer than ${bytesMax} bytes`;
  return new ProxyError("request_too_large", message);
}
