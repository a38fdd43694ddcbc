import { describe, expect, test } from "bun:test";
import { ClientClosedError } from "../../src/data_plane/flight.ts";
import { NoAnswer } from "../../src/data_plane/forward.ts";
import { ShutdownError } from "../../src/data_plane/in_flight.ts";
import {
  failedOutcome,
  type Outcome,
  unsentOutcome,
  usageOf,
} from "../../src/data_plane/settle.ts";
import { UpstreamRefused } from "../../src/data_plane/upstream_refusal.ts";
import { ProxyError } from "../../src/domain/errors.ts";
import { NO_USAGE } from "../../src/domain/usage.ts";
import { UpstreamFault } from "../../src/wire/translation.ts";

const HOLD = { operation: "chat", estimatedInputTokens: 40, heldTokens: 140 } as const;

function outcome(changes: Partial<Outcome>): Outcome {
  return {
    ending: "completed",
    upstreamStatus: 200,
    servedModel: null,
    usage: null,
    outputBytes: 70,
    generated: true,
    ...changes,
  };
}

const REPORTED = { ...NO_USAGE, inputTokens: 30, outputTokens: 7 };

describe("usageOf()", () => {
  test.each([
    ["a completed call is charged as reported", { usage: REPORTED }, 30, 7, false],
    ["without a report by what was seen", {}, 40, 20, true],
    ["never 0 for a call that generated", { outputBytes: 0 }, 40, 1, true],
    ["unseen: by all that was held", { outputBytes: null }, 40, 100, true],
    [
      "completed without input: no such call",
      { usage: { ...REPORTED, inputTokens: 0 } },
      40,
      20,
      true,
    ],
    [
      "completed without output, which was seen",
      { usage: { ...REPORTED, outputTokens: 0 } },
      30,
      20,
      true,
    ],
    [
      "completed without output, as there was none",
      { usage: { ...REPORTED, outputTokens: 0 }, outputBytes: 0 },
      30,
      0,
      false,
    ],
    [
      "cut off: the larger of report and what was seen",
      { ending: "client_closed", usage: REPORTED },
      30,
      20,
      true,
    ],
    [
      "more input than can be: cut, and marked",
      { usage: { ...REPORTED, inputTokens: 2_000_000 } },
      1_000_400,
      7,
      true,
    ],
    [
      "more output than can be: cut by what was held",
      { usage: { ...REPORTED, outputTokens: 2_000_000 } },
      30,
      101_000,
      true,
    ],
    [
      "more output than can be: cut by what was seen, if that is more",
      { usage: { ...REPORTED, outputTokens: 2_000_000 }, outputBytes: 70_000 },
      30,
      300_000,
      true,
    ],
    [
      "cut off: more than can be is cut too",
      { ending: "client_closed", usage: { ...REPORTED, inputTokens: 2_000_000 } },
      1_000_400,
      20,
      true,
    ],
    [
      "cut off: a report beyond what was seen counts",
      { ending: "upstream_failed", usage: REPORTED, outputBytes: 3 },
      30,
      7,
      true,
    ],
  ] as const)("%s", (_, changes, inputTokens, outputTokens, estimated) => {
    const used = usageOf(outcome(changes), HOLD);
    expect(used.usage).toMatchObject({ inputTokens, outputTokens });
    expect(used.estimated).toBe(estimated);
  });

  test("embeddings generate nothing", () => {
    const used = usageOf(outcome({ outputBytes: 0 }), { ...HOLD, operation: "embeddings" });
    expect(used.usage).toMatchObject({ inputTokens: 40, outputTokens: 0 });
  });
});

const REFUSED = new UpstreamRefused({
  status: 400,
  message: null,
  type: null,
  code: null,
  param: null,
  body: null,
  retryAfter: null,
});

describe("failedOutcome()", () => {
  test.each([
    ["refused", REFUSED, false, "upstream_failed", false, 0],
    ["not sent", new NoAnswer("No", false), false, "upstream_failed", false, 0],
    ["sent, no answer", new NoAnswer("No", true), false, "upstream_failed", true, 0],
    ["client gone, whole", new ClientClosedError(), false, "client_closed", true, null],
    ["client gone, stream", new ClientClosedError(), true, "client_closed", true, 0],
    ["shutdown", new ShutdownError(), false, "shutdown", true, null],
    ["too slow", new ProxyError("upstream_timeout", "Slow"), false, "upstream_failed", true, null],
    ["no answer of the wire", new UpstreamFault("No JSON"), false, "upstream_failed", true, null],
    [
      "an error in a success",
      new UpstreamFault("No", { body: { error: {} } }),
      false,
      "upstream_failed",
      false,
      null,
    ],
  ] as const)("%s", (_, error, streamed, ending, generated, outputBytes) => {
    const failed = failedOutcome(error, 200, streamed);
    expect(failed).toMatchObject({ ending, generated, upstreamStatus: 200, usage: null });
    // What was not generated is not counted, however much was seen.
    if (generated) expect(failed.outputBytes).toBe(outputBytes);
  });
});

test("unsentOutcome() voids the hold of a call that was given up before it was sent", () => {
  expect(unsentOutcome(new ClientClosedError())).toMatchObject({
    ending: "client_closed",
    upstreamStatus: null,
    generated: false,
  });
});
