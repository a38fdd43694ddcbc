import { asSent, headOf } from "./captured_answer.ts";
import { EITHER, type Fault, HARMLESS, LOST } from "./fault.ts";
import type { Step } from "./fault_proxy.ts";

const PIECE_BYTES = 7;

/** What a connection may do, whatever is sent on it. */
export const CONNECTION_FAULTS: readonly Fault[] = [
  { name: "late", fates: HARMLESS, steps: (answer) => [{ waitMs: 300 }, asSent(answer)] },
  { name: "byte by byte", fates: HARMLESS, steps: (answer) => pieces(asSent(answer), 1) },
  {
    name: "in small pieces",
    fates: HARMLESS,
    steps: (answer) => pieces(asSent(answer), PIECE_BYTES),
  },
  { name: "closed unanswered", fates: ["refused"], steps: () => ["close"] },
  { name: "reset unanswered", fates: ["refused"], steps: () => ["reset"] },
  { name: "half closed unanswered", fates: ["refused"], steps: () => ["finish"] },
  { name: "never answered", lasting: true, fates: ["refused"], steps: () => [] },
  {
    name: "stalled in the head",
    lasting: true,
    fates: ["refused"],
    steps: (answer) => [Buffer.from(headOf(answer))],
  },
  {
    name: "stalled in the body",
    lasting: true,
    fates: LOST,
    steps: (answer) => [asSent(answer).subarray(0, -40)],
  },
  {
    name: "stalled before the last byte",
    lasting: true,
    // What follows the last event of a stream is of no interest.
    fates: EITHER,
    steps: (answer) => [asSent(answer).subarray(0, -1)],
  },
  {
    name: "closed behind the answer",
    fates: HARMLESS,
    steps: (answer) => [asSent(answer), "close"],
  },
  {
    name: "half closed behind the answer",
    fates: HARMLESS,
    steps: (answer) => [asSent(answer), "finish"],
  },
  {
    name: "reset behind the answer",
    // A reset throws away what was sent and not yet read.
    fates: EITHER,
    steps: (answer) => [asSent(answer), "reset"],
  },
  {
    name: "closed a little later",
    fates: HARMLESS,
    steps: (answer) => [asSent(answer), { waitMs: 20 }, "close"],
  },
  {
    name: "reset when used again",
    fates: EITHER,
    steps: (answer, { earlier }) => (earlier > 0 ? ["reset"] : [asSent(answer)]),
  },
];

function* pieces(bytes: Buffer, length: number): Generator<Step> {
  for (let at = 0; at < bytes.length; at += length) {
    yield bytes.subarray(at, at + length);
    yield { waitMs: 0 };
  }
}
