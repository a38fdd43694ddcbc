import { ProxyError } from "../domain/errors.ts";
import { ClientClosedError } from "./flight.ts";

/**
 * Reads a request body as text.
 *
 * @throws {ProxyError} If it is longer than `bytesMax`, is encoded in some way, or is not UTF-8.
 * @throws {ClientClosedError} If the client goes away before all of it is there.
 */
export async function readBody(request: Request, bytesMax: number): Promise<string> {
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    throw malformed(`a body with content-encoding "${encoding}" is not read`);
  }
  const declared = Number(request.headers.get("content-length") ?? Number.NaN);
  if (declared > bytesMax) throw tooLarge(bytesMax);
  const bytes = await readBytes(request, declared, bytesMax);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw malformed("the body is not UTF-8");
  }
}

/** Refuses a body that cannot be understood at all. */
export function malformed(what: string): ProxyError {
  return new ProxyError("invalid_model", `Cannot read request: ${what}`);
}

async function readBytes(
  request: Request,
  declared: number,
  bytesMax: number,
): Promise<Uint8Array | ArrayBuffer> {
  try {
    const whole = !Number.isNaN(declared);
    return whole ? await request.arrayBuffer() : await readPieces(request, bytesMax);
  } catch (error) {
    if (request.signal.aborted) throw new ClientClosedError();
    throw error;
  }
}

async function readPieces(request: Request, bytesMax: number): Promise<Uint8Array> {
  const body: ReadableStream<Uint8Array> | null = request.body;
  if (body === null) return new Uint8Array();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.byteLength;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function tooLarge(bytesMax: number): ProxyError {
  return new ProxyError(
    "request_too_large",
    `Cannot read request: its body is longer than ${bytesMax} bytes`,
    // What was not read cannot be told from the next request.
    { headers: { connection: "close" } },
  );
}
