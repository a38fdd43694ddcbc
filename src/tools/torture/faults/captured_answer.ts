import { connect } from "node:net";
import { AnswerReader } from "../../bench/answer_reader.ts";

/** An answer of the stand-in, taken apart so that it can be sent in other ways. */
export interface CapturedAnswer {
  /** `HTTP/1.1 200 OK` or the like. */
  readonly statusLine: string;
  /** Every header line but those that frame the body, each with its line end. */
  readonly headers: string;
  readonly body: Buffer;
  /** Whether it is an event stream. */
  readonly stream: boolean;
}

/** Sends a request as it is to a port of loopback, and returns the answer. @throws If none comes whole. */
export function captureAnswer(port: number, request: Buffer): Promise<CapturedAnswer> {
  return new Promise((resolve, reject) => {
    const body: Buffer[] = [];
    const reader = new AnswerReader((bytes) => void body.push(Buffer.from(bytes)));
    let head = "";
    const socket = connect(port, "127.0.0.1");
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("Cannot capture answer: it was cut off")));
    socket.on("data", (piece: Buffer) => {
      if (!head.includes("\r\n\r\n")) head += piece.toString("latin1");
      try {
        reader.push(piece);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
      if (!reader.complete) return;
      resolve(takeApart(head, Buffer.concat(body)));
      socket.destroy();
    });
    socket.write(request);
  });
}

/** Writes an answer as most providers do: a whole one with its length, a stream with a chunk for each event. */
export function asSent(answer: CapturedAnswer): Buffer {
  if (!answer.stream) return withLength(answer);
  return Buffer.concat([Buffer.from(`${headOf(answer)}${CHUNKED}`), ...chunksOf(answer), LAST]);
}

/** Writes an answer that says how long it is. */
export function withLength(answer: CapturedAnswer, length = String(answer.body.length)): Buffer {
  const head = `${headOf(answer)}content-length: ${length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), answer.body]);
}

/** Returns the status line and the headers, without a blank line behind them. */
export function headOf({ statusLine, headers }: CapturedAnswer): string {
  return `${statusLine}\r\n${headers}`;
}

/** The end of a head whose body comes in chunks. */
export const CHUNKED = "transfer-encoding: chunked\r\n\r\n";

/** Returns the body in chunks, one for each event, without the last one that is empty. */
export function chunksOf({ body, stream }: CapturedAnswer): Buffer[] {
  const parts = stream ? body.toString("latin1").split(/(?<=\n\n)/) : [body.toString("latin1")];
  return parts.map((part) => chunkOf(Buffer.from(part, "latin1")));
}

/** Frames bytes as one chunk. */
export function chunkOf(bytes: Buffer, size = bytes.length.toString(16)): Buffer {
  return Buffer.concat([Buffer.from(`${size}\r\n`), bytes, CRLF]);
}

const CRLF = Buffer.from("\r\n");

/** The empty chunk behind all others. */
export const LAST = Buffer.from("0\r\n\r\n");

function takeApart(text: string, body: Buffer): CapturedAnswer {
  const [statusLine = "", ...lines] = text.slice(0, text.indexOf("\r\n\r\n")).split("\r\n");
  const kept = lines.filter(
    (line) => !/^(content-length|transfer-encoding|connection):/i.test(line),
  );
  return {
    statusLine,
    headers: kept.map((line) => `${line}\r\n`).join(""),
    body,
    stream: kept.some((line) => /^content-type: *text\/event-stream/i.test(line)),
  };
}
