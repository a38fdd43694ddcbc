import { asSent, type CapturedAnswer, CHUNKED, chunkOf, headOf } from "./captured_answer.ts";
import { EITHER, type Fault, HARMLESS, LOST } from "./fault.ts";
import type { Step } from "./fault_proxy.ts";

/** More than any value may be nested. */
const DEPTH = 50_000;

const ENDLESS_BYTES = 1 << 16;
const ENDLESS_GAP_MS = 1;

/** What usage may be said to be. */
const USAGES = [
  "null",
  '"many"',
  "[]",
  "{}",
  '{"prompt_tokens":"7","completion_tokens":true,"input_tokens":[],"output_tokens":{}}',
  '{"prompt_tokens":-7,"completion_tokens":-1,"input_tokens":-7,"output_tokens":-1}',
  '{"prompt_tokens":1e308,"completion_tokens":1e400,"input_tokens":1e308,"output_tokens":1e400}',
  '{"prompt_tokens":0.5,"completion_tokens":1.5,"input_tokens":0.5,"output_tokens":1.5}',
  '{"__proto__":{"prompt_tokens":9},"constructor":null,"toString":1}',
];

/** Bodies of whole answers that are JSON, but no answer. */
const BODIES = [
  "",
  " ",
  "null",
  "7",
  '"text"',
  "[]",
  "{}",
  '{"choices":{}}',
  '{"choices":[null]}',
  '{"content":7}',
  '{"object":"chat.completion","choices":[{"message":7}]}',
  '{"type":"message","content":[7,null,{"type":7}],"stop_reason":{}}',
  '{"error":7}',
  '{"error":{"message":{},"type":[],"code":7}}',
  `{"a":${"[".repeat(DEPTH)}${"]".repeat(DEPTH)}}`,
];

/** Events that may stand in a stream, though no provider would mean them. */
const EVENTS = [
  ": comment\n\n",
  "garbage\n\n",
  "\0\u00ff\u00fe\n\n",
  "data: {\n\n",
  "data: null\n\n",
  "data: 7\n\n",
  "data: []\n\n",
  "data: {}\n\n",
  "data: \u00ff\u00fe\n\n",
  'data: {"choices":7}\n\n',
  'data: {"choices":[{"delta":7}]}\n\n',
  'data: {"type":7,"index":"x","delta":null}\n\n',
  'data: {"error":{"message":"No"}}\n\n',
  'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"No"}}\n\n',
  `data: {"a":${"[".repeat(DEPTH)}${"]".repeat(DEPTH)}}\n\n`,
  "event: \nid: 7\nretry: x\n\n",
  "\u00ef\u00bb\u00bfdata: {}\n\n",
];

/** What may be wrong with what an answer says. */
export const CONTENT_FAULTS: readonly Fault[] = [
  {
    name: "with bytes behind its end",
    fates: EITHER,
    steps: (answer) => [asSent(answer), Buffer.from("garbage behind the end")],
  },
  {
    name: "with another answer behind its end",
    fates: EITHER,
    steps: (answer) => [asSent(answer), asSent({ ...answer, body: Buffer.from("{}") })],
  },
  {
    name: "with bytes in its midst",
    only: "whole",
    fates: ["refused"],
    steps: (answer) => {
      const { body } = answer;
      const middle = body.length >> 1;
      const parts = [body.subarray(0, middle), GARBAGE, body.subarray(middle)];
      return [asSent({ ...answer, body: Buffer.concat(parts) })];
    },
  },
  {
    name: "after a mark of byte order",
    only: "whole",
    fates: EITHER,
    steps: (answer) => [asSent({ ...answer, body: Buffer.concat([BOM, answer.body]) })],
  },
  {
    name: "after a megabyte of blanks",
    only: "whole",
    fates: HARMLESS,
    steps: (answer) => {
      return [
        asSent({ ...answer, body: Buffer.concat([Buffer.alloc(1 << 20, " "), answer.body]) }),
      ];
    },
  },
  ...BODIES.map((body): Fault => ({
    name: `that is ${JSON.stringify(body).slice(0, 50)}`,
    only: "whole",
    fates: ["refused", "odd"],
    steps: (answer) => [asSent({ ...answer, body: Buffer.from(body) })],
  })),
  ...USAGES.map((usage): Fault => ({
    name: `with usage ${usage.slice(0, 50)}`,
    fates: ["complete", "odd", ...LOST],
    steps: (answer) => [asSent(withUsage(answer, usage))],
  })),
  ...EVENTS.map((event): Fault => ({
    name: `with ${JSON.stringify(event).slice(0, 50)} in its midst`,
    only: "stream",
    fates: ["complete", "odd", ...LOST],
    steps: (answer) => [asSent(withEvent(answer, event))],
  })),
  {
    name: "with a line that never ends",
    lasting: true,
    only: "stream",
    fates: LOST,
    steps: (answer) => endless(answer, 'data: {"a":"', "a"),
  },
  {
    name: "with an event that never ends",
    lasting: true,
    only: "stream",
    fates: LOST,
    steps: (answer) => endless(answer, "", "data: a\n"),
  },
  {
    name: "with lines ended otherwise",
    only: "stream",
    fates: HARMLESS,
    steps: (answer) => [asSent({ ...answer, body: crlf(answer.body) })],
  },
];

/** A whole answer of which a quarter of a gigabyte is read before it is given up. */
export const ENDLESS_ANSWER: Fault = {
  name: "that never ends",
  lasting: true,
  only: "whole",
  fates: ["refused"],
  steps: (answer) => endless(answer, '{"a":"', "a"),
};

const GARBAGE = Buffer.from([0, 0xff, 0xfe, 1, 2]);
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

function withUsage(answer: CapturedAnswer, usage: string): CapturedAnswer {
  const text = answer.body.toString("latin1");
  return {
    ...answer,
    body: Buffer.from(
      text.replaceAll(/"usage":\{[^{}]*(\{[^{}]*\}[^{}]*)*\}/g, `"usage":${usage}`),
      "latin1",
    ),
  };
}

/** Puts an event into the middle of a stream, where half of the answer has passed. */
function withEvent(answer: CapturedAnswer, event: string): CapturedAnswer {
  const events = answer.body.toString("latin1").split(/(?<=\n\n)/);
  events.splice(events.length >> 1, 0, event);
  return { ...answer, body: Buffer.from(events.join(""), "latin1") };
}

function crlf(body: Buffer): Buffer {
  return Buffer.from(body.toString("latin1").replaceAll("\n", "\r\n"), "latin1");
}

function* endless(answer: CapturedAnswer, begin: string, again: string): Generator<Step> {
  yield Buffer.from(`${headOf(answer)}${CHUNKED}`);
  yield chunkOf(Buffer.from(begin === "" ? again : begin));
  const piece = chunkOf(Buffer.from(again.repeat(ENDLESS_BYTES / again.length)));
  for (;;) {
    yield piece;
    yield { waitMs: ENDLESS_GAP_MS };
  }
}
