import type { Random } from "../random.ts";

/** What breaks readers of numbers: sizes, lengths, indexes. */
const NUMBERS = [
  "0",
  "-1",
  "1e9",
  "2147483648",
  "4294967296",
  "9007199254740993",
  "18446744073709551616",
  "99999999999999999999999999",
  "0x7fffffff",
  "NaN",
];

/** Lines that frame a body, or say how it is to be read, in ways that contradict or make no sense. */
const LINES = [
  "transfer-encoding: chunked",
  "transfer-encoding: chunked, identity",
  "transfer-encoding : chunked",
  "transfer-encoding: \u000bchunked",
  "content-length: 5",
  "content-length: +5",
  "content-length: 5, 5",
  "content-length: -5",
  "content-length: 18446744073709551615",
  "content-encoding: gzip",
  "content-type: multipart/form-data; boundary=x",
  "content-type: application/json; charset=utf-16",
  "expect: 100-continue",
  "expect: 200-ok",
  "connection: upgrade",
  "upgrade: websocket",
  "upgrade: h2c",
  "host: [",
  "host: ",
  "host: a:b:c",
  "host: \u00ff",
  "host",
  ": nameless",
  " folded: line",
  "authorization: Bearer fdb-inf-",
  "authorization: Basic ",
  "authorization: Basic !!!!",
  "authorization: Negotiate abc",
  "x-active-org-id: x",
  "origin: null",
  "sec-fetch-site: cross-site",
  "range: bytes=0-18446744073709551615",
  `cookie: ${"a=b; ".repeat(300)}`,
  `x-long: ${"a".repeat(17_000)}`,
  "\0: \0",
];

/** First lines of requests that no client sends. */
const FIRST_LINES = [
  "GET / HTTP/1.0",
  "GET  / HTTP/1.1",
  "GET / HTTP/1.1 ",
  "GET / HTTP/2.0",
  "GET /",
  "get / HTTP/1.1",
  "FOO / HTTP/1.1",
  "CONNECT a:443 HTTP/1.1",
  "TRACE / HTTP/1.1",
  "OPTIONS * HTTP/1.1",
  "PRI * HTTP/2.0",
  "GET http://a/inference/v1/models HTTP/1.1",
  "POST //inference//v1///chat/completions/ HTTP/1.1",
  "POST /inference/v1/../v1/chat/completions HTTP/1.1",
  "POST /inference/v1/%63hat/completions HTTP/1.1",
  "GET /inference/v1/models/%ff%fe HTTP/1.1",
  "GET /organizations/%2e%2e/inference/keys HTTP/1.1",
  `GET /${"a/".repeat(4000)} HTTP/1.1`,
  "GET /\u00ff\0 HTTP/1.1",
  "\u0016\u0003\u0001\u0002\0\u0001\0",
  "",
];

type Mutation = (bytes: Buffer, random: Random, other: Buffer) => Buffer;

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  flip: (bytes, random) => {
    const flipped = Buffer.from(bytes);
    for (let flips = random.between(1, 8); flips > 0; flips -= 1) {
      const at = random.between(0, bytes.length - 1);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << random.between(0, 7));
    }
    return flipped;
  },
  overwrite: (bytes, random) => {
    const at = random.between(0, bytes.length - 1);
    const noise = Array.from({ length: random.between(1, 16) }, () => random.between(0, 255));
    return splice(bytes, at, at + noise.length, Buffer.from(noise));
  },
  insert: (bytes, random) => {
    const at = random.between(0, bytes.length);
    const noise = random.pick([
      "\0",
      "\r",
      "\n",
      "\r\n",
      "\r\n\r\n",
      "\t",
      " ",
      "%00",
      "\u00ff",
      ":",
      '"',
    ]);
    return splice(bytes, at, at, Buffer.from(noise.repeat(random.between(1, 4)), "latin1"));
  },
  remove: (bytes, random) => {
    const at = random.between(0, bytes.length - 1);
    return splice(bytes, at, at + random.between(1, 20), EMPTY);
  },
  truncate: (bytes, random) => bytes.subarray(0, random.between(1, bytes.length - 1)),
  repeat: (bytes, random) => {
    const at = random.between(0, bytes.length - 1);
    const part = bytes.subarray(at, at + random.between(1, 100));
    return splice(bytes, at, at, Buffer.concat(Array<Buffer>(random.between(2, 50)).fill(part)));
  },
  splice: (bytes, random, other) =>
    Buffer.concat([
      bytes.subarray(0, random.between(1, bytes.length)),
      other.subarray(random.between(0, other.length - 1)),
    ]),
  number: (bytes, random) => {
    const numbers = [...bytes.toString("latin1").matchAll(/\d+/g)];
    if (numbers.length === 0) return bytes;
    const { index, 0: digits } = random.pick(numbers);
    return splice(bytes, index, index + digits.length, Buffer.from(random.pick(NUMBERS)));
  },
  "drop line": (bytes, random) =>
    lines(bytes, (all) => all.toSpliced(random.between(0, all.length - 1), 1)),
  "repeat line": (bytes, random) =>
    lines(bytes, (all) => {
      const line = random.pick(all);
      return all.toSpliced(
        random.between(0, all.length),
        0,
        line,
        ...(random.chance(0.2) ? Array<string>(200).fill(line) : []),
      );
    }),
  "add line": (bytes, random) =>
    lines(bytes, (all) => all.toSpliced(random.between(1, all.length), 0, random.pick(LINES))),
  "first line": (bytes, random) => lines(bytes, (all) => all.with(0, random.pick(FIRST_LINES))),
  chunked: (bytes, random) => chunked(bytes, random),
};

const EMPTY = Buffer.alloc(0);
const NAMES = Object.keys(MUTATIONS);

/** Changes a request in one to three ways. @param other Another request, to be mixed with it. */
export function mutateBytes(request: Buffer, other: Buffer, random: Random): Buffer {
  let bytes = request;
  for (let changes = Number(random.weighted({ 1: 6, 2: 3, 3: 1 })); changes > 0; changes -= 1) {
    const mutation = MUTATIONS[random.pick(NAMES)];
    if (mutation !== undefined && bytes.length > 1) bytes = mutation(bytes, random, other);
  }
  return bytes;
}

/** Sends the body in chunks, of which some are none. */
function chunked(bytes: Buffer, random: Random): Buffer {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return bytes;
  const head = bytes.toString("latin1", 0, end).replace(/\r\ncontent-length:[^\r]*/i, "");
  const body = bytes.subarray(end + 4);
  const size = () => {
    const right = body.length.toString(16);
    return random.chance(0.5)
      ? right
      : random.pick(["0", "-1", "zz", "", `${right};x=y`, "ffffffffffffffff", `0x${right}`, "1"]);
  };
  const last = random.pick(["0\r\n\r\n", "0\r\nx: y\r\n\r\n", "0\r\n", "", "0\n\n"]);
  const chunks = [Buffer.from(`${size()}\r\n`), body, Buffer.from(`\r\n${last}`)];
  return Buffer.concat([
    Buffer.from(`${head}\r\ntransfer-encoding: chunked\r\n\r\n`, "latin1"),
    ...chunks,
  ]);
}

function splice(bytes: Buffer, start: number, end: number, instead: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, start), instead, bytes.subarray(end)]);
}

/** Changes the lines of a head. */
function lines(bytes: Buffer, change: (all: readonly string[]) => readonly string[]): Buffer {
  const end = bytes.indexOf("\r\n\r\n");
  const head = bytes.toString("latin1", 0, end === -1 ? bytes.length : end).split("\r\n");
  const changed = Buffer.from(change(head).join("\r\n"), "latin1");
  return Buffer.concat([changed, end === -1 ? EMPTY : bytes.subarray(end)]);
}
