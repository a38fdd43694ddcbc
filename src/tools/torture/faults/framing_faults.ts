import {
  type CapturedAnswer,
  CHUNKED,
  chunkOf,
  chunksOf,
  headOf,
  LAST,
  withLength,
} from "./captured_answer.ts";
import { EITHER, type Fault, HARMLESS, LOST } from "./fault.ts";

/** Answers whose length is told wrongly, or not at all. */
const LENGTH_FAULTS: readonly Fault[] = [
  {
    name: "closed before its length",
    fates: ["refused"],
    streamFates: EITHER,
    steps: (answer) => [withLength(answer, String(answer.body.length + 50)), "close"],
  },
  {
    name: "silent before its length",
    lasting: true,
    only: "whole",
    fates: ["refused"],
    steps: (answer) => [withLength(answer, String(answer.body.length + 50))],
  },
  {
    name: "longer than its length",
    fates: LOST,
    steps: (answer) => [withLength(answer, String(answer.body.length - 50)), "close"],
  },
  { name: "of length zero", fates: LOST, steps: (answer) => [withLength(answer, "0"), "close"] },
  ...["abc", "-1", "", "1e3", "0x10", "99999999999999999999", "9007199254740993"].map(
    (length): Fault => ({
      name: `of length "${length}"`,
      fates: EITHER,
      steps: (answer) => [withLength(answer, length), "close"],
    }),
  ),
  {
    name: "of two lengths",
    fates: EITHER,
    steps: (answer) => [withLength(withHeader(answer, "content-length: 7")), "close"],
  },
  {
    name: "of a length and in chunks",
    fates: EITHER,
    steps: (answer) => [
      inChunks(withHeader(answer, "content-length: 7"), chunksOf(answer)),
      "close",
    ],
  },
  {
    name: "without a length, up to the close",
    fates: HARMLESS,
    steps: (answer) => [untilClose(answer), "close"],
  },
  {
    name: "in HTTP/1.0",
    fates: HARMLESS,
    steps: (answer) => [untilClose({ ...answer, statusLine: "HTTP/1.0 200 OK" }), "close"],
  },
];

/** Chunks with something odd about one in the middle. */
const CHUNK_FAULTS: readonly Fault[] = [
  ...["zz", "-5", "", "ffffffffffffffff1", "7fffffffffffffff"].map((size): Fault => ({
    name: `with a chunk of size "${size}"`,
    fates: ["refused"],
    streamFates: EITHER,
    steps: (answer) => [
      spoilt(answer, (chunk) => Buffer.from(`${size}\r\n${text(chunk)}`)),
      "close",
    ],
  })),
  {
    name: "with a chunk longer than its size",
    fates: ["refused"],
    streamFates: EITHER,
    steps: (answer) => [spoilt(answer, (chunk) => chunkOf(bare(chunk), "1")), "close"],
  },
  {
    name: "with a chunk without its end of line",
    fates: EITHER,
    steps: (answer) => [spoilt(answer, (chunk) => chunk.subarray(0, -2)), "close"],
  },
  {
    name: "with a size that never ends",
    fates: ["refused"],
    streamFates: EITHER,
    steps: (answer) => [spoilt(answer, () => Buffer.alloc(1 << 20, "0")), "close"],
  },
  {
    name: "without the last chunk",
    fates: EITHER,
    steps: (answer) => [inChunks(answer, chunksOf(answer)).subarray(0, -LAST.length), "close"],
  },
  {
    name: "with extensions of chunks",
    fates: HARMLESS,
    steps: (answer) => [
      spoilt(answer, (chunk) => chunkOf(bare(chunk), `${hex(chunk)};name=value`)),
    ],
  },
  {
    name: "with sizes of many digits",
    fates: HARMLESS,
    steps: (answer) => [
      spoilt(answer, (chunk) => chunkOf(bare(chunk), `0000${hex(chunk).toUpperCase()}`)),
    ],
  },
  {
    name: "with trailers",
    fates: HARMLESS,
    steps: (answer) => [
      Buffer.concat([
        inChunks(answer, chunksOf(answer)).subarray(0, -2),
        Buffer.from("x-trailer: 1\r\n\r\n"),
      ]),
    ],
  },
];

/** Answers that are framed wrongly, or oddly. */
export const FRAMING_FAULTS: readonly Fault[] = [...LENGTH_FAULTS, ...CHUNK_FAULTS];

function withHeader(answer: CapturedAnswer, line: string): CapturedAnswer {
  return { ...answer, headers: `${answer.headers}${line}\r\n` };
}

function untilClose(answer: CapturedAnswer): Buffer {
  return Buffer.concat([Buffer.from(`${headOf(answer)}connection: close\r\n\r\n`), answer.body]);
}

function inChunks(answer: CapturedAnswer, chunks: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(`${headOf(answer)}${CHUNKED}`), ...chunks, LAST]);
}

/** Sends an answer in chunks, the middle one of them in another way. */
function spoilt(answer: CapturedAnswer, spoil: (chunk: Buffer) => Buffer): Buffer {
  const chunks = chunksOf(answer);
  const middle = Math.floor(chunks.length / 2);
  return inChunks(
    answer,
    chunks.map((chunk, index) => (index === middle ? spoil(chunk) : chunk)),
  );
}

/** Returns the bytes that a chunk frames. */
function bare(chunk: Buffer): Buffer {
  return chunk.subarray(chunk.indexOf("\r\n") + 2, -2);
}

function hex(chunk: Buffer): string {
  return bare(chunk).length.toString(16);
}

function text(chunk: Buffer): string {
  return bare(chunk).toString("latin1");
}
