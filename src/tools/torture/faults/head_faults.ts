import { asSent, type CapturedAnswer, headOf } from "./captured_answer.ts";
import { EITHER, type Fault, HARMLESS } from "./fault.ts";
import type { Step } from "./fault_proxy.ts";

const REFUSED = ["refused"] as const;

/** What is sent again and again where something never ends: some 25 MB in the time that a call has. */
const FLOOD_BYTES = 1 << 16;
const FLOOD_GAP_MS = 5;

/** What may stand before an answer, or in its head. */
export const HEAD_FAULTS: readonly Fault[] = [
  ...[
    "\0\u00ff\u00fe garbage\r\n",
    "SSH-2.0-OpenSSH_9.2\r\n",
    "\u0015\u0003\u0001\0\u0002\u0002\u0046",
    "<html>",
    "{}",
  ].map((garbage): Fault => ({
    name: `after ${JSON.stringify(garbage)}`,
    fates: REFUSED,
    steps: (answer) => [Buffer.from(garbage, "latin1"), asSent(answer), "close"],
  })),
  {
    name: "after blank lines",
    fates: EITHER,
    steps: (answer) => [Buffer.from("\r\n\r\n"), asSent(answer), "close"],
  },
  ...[
    "HTTP/1.1 20 OK",
    "HTTP/1.1 2000 OK",
    "HTTP/1.1 abc OK",
    "HTTP/9.9 200 OK",
    "ICY 200 OK",
    "HTTP/1.1",
  ].map((statusLine): Fault => ({
    name: `with the status line "${statusLine}"`,
    fates: EITHER,
    steps: (answer) => [asSent({ ...answer, statusLine }), "close"],
  })),
  { name: "without a reason", fates: HARMLESS, steps: withStatus("HTTP/1.1 200 ") },
  ...[199, 204, 205, 301, 304, 307, 401, 404, 418, 429, 500, 529, 599, 999].map(
    (status): Fault => ({
      name: `with status ${status}`,
      fates: REFUSED,
      steps: (answer) => [asSent({ ...answer, statusLine: `HTTP/1.1 ${status} Odd` }), "close"],
    }),
  ),
  { name: "with 200 headers", fates: EITHER, steps: withHeaders(200) },
  { name: "with 10,000 headers", fates: EITHER, steps: withHeaders(10_000) },
  {
    name: "with a header of 30,000 bytes",
    fates: EITHER,
    steps: (answer) => [asSent(withLine(answer, `x-long: ${"a".repeat(30_000)}`))],
  },
  {
    name: "with bytes that no header may hold",
    fates: EITHER,
    steps: (answer) => [asSent(withLine(answer, "x-odd: \0\u0001\u007f\r")), "close"],
  },
  {
    name: "with a header that never ends",
    lasting: true,
    fates: REFUSED,
    steps: (answer) => flood(answer, "x-long: ", "a"),
  },
  {
    name: "with headers that never end",
    lasting: true,
    fates: REFUSED,
    steps: (answer) => flood(answer, "", "x: y\r\n"),
  },
  ...["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"].map(
    (interim): Fault => ({
      name: `after ${JSON.stringify(interim)}`,
      fates: HARMLESS,
      steps: (answer) => [Buffer.from(interim), { waitMs: 5 }, asSent(answer)],
    }),
  ),
  {
    name: "after a hundred interim answers",
    fates: EITHER,
    steps: (answer) => [Buffer.from("HTTP/1.1 102 Processing\r\n\r\n".repeat(100)), asSent(answer)],
  },
  {
    name: "after an interim answer and silence",
    lasting: true,
    fates: REFUSED,
    steps: () => [Buffer.from("HTTP/1.1 100 Continue\r\n\r\n")],
  },
  {
    name: "after an interim answer and a close",
    fates: REFUSED,
    steps: () => [Buffer.from("HTTP/1.1 100 Continue\r\n\r\n"), "close"],
  },
  {
    name: "after a change of protocols",
    fates: REFUSED,
    steps: (answer) => [
      Buffer.from("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"),
      asSent(answer),
      "close",
    ],
  },
];

function withStatus(statusLine: string): Fault["steps"] {
  return (answer) => [asSent({ ...answer, statusLine })];
}

function withLine(answer: CapturedAnswer, line: string): CapturedAnswer {
  return { ...answer, headers: `${answer.headers}${line}\r\n` };
}

function withHeaders(count: number): Fault["steps"] {
  const lines = Array.from({ length: count }, (_, index) => `x-header-${index}: value`);
  return (answer) => [asSent(withLine(answer, lines.join("\r\n")))];
}

function* flood(answer: CapturedAnswer, begin: string, again: string): Generator<Step> {
  yield Buffer.from(headOf(answer) + begin);
  const piece = Buffer.from(again.repeat(FLOOD_BYTES / again.length));
  for (;;) {
    yield piece;
    yield { waitMs: FLOOD_GAP_MS };
  }
}
