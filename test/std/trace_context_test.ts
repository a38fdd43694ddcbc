import { expect, test } from "bun:test";
import { newSpanId, parseTraceparent } from "../../src/std/trace_context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

test("a traceparent says the trace, the span that asks and whether it is recorded", () => {
  expect(parseTraceparent(`00-${TRACE}-${SPAN}-01`)).toEqual({
    traceId: TRACE,
    spanId: SPAN,
    sampled: true,
  });
  expect(parseTraceparent(`00-${TRACE}-${SPAN}-00`)?.sampled).toBe(false);
  expect(parseTraceparent(`00-${TRACE}-${SPAN}-fe`)?.sampled).toBe(false);
});

test("a later version may say more than is understood", () => {
  expect(parseTraceparent(`01-${TRACE}-${SPAN}-01-what-comes`)?.traceId).toBe(TRACE);
  expect(parseTraceparent(`01-${TRACE}-${SPAN}-01`)?.traceId).toBe(TRACE);
});

test.each([
  "",
  TRACE,
  `ff-${TRACE}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-01-more`,
  `00-${TRACE}-${SPAN}`,
  `00-${TRACE}-${SPAN}-1`,
  `00-${TRACE}-${SPAN}-01 `,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${TRACE.slice(1)}-${SPAN}-01`,
  `00-${"0".repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${"0".repeat(16)}-01`,
  `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
])("%p is no traceparent", (header) => {
  expect(parseTraceparent(header)).toBeNull();
});

test("new span ids are 16 digits of hex, never all zero, and differ", () => {
  const ids = Array.from({ length: 100 }, newSpanId);
  for (const id of ids) expect(id).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
  expect(new Set(ids).size).toBe(100);
});
