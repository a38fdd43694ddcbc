import { expect, test } from "bun:test";
import { CallObserver } from "../../src/data_plane/observe.ts";
import { systemClock } from "../../src/std/clock.ts";
import { Metrics } from "../../src/std/metrics.ts";

function observed() {
  const lines: string[] = [];
  const observer = new CallObserver({
    metrics: new Metrics(),
    clock: systemClock,
    accessLog: { info: (_, fields) => lines.push(String(fields?.["request_id"])) },
    exporter: null,
    organizationName: (id) => id,
  });
  const refuse = (id: string) =>
    observer.begin(new Headers(), "chat").refused(new Error("no"), 500, id);
  return { observer, lines, refuse };
}

test("calls that are over are told of together, each once and in their order", () => {
  const { observer, lines, refuse } = observed();
  refuse("first");
  refuse("second");
  expect(lines).toEqual([]);
  observer.tell();
  observer.tell();
  expect(lines).toEqual(["first", "second"]);
});

test("many wait for nobody", () => {
  const { lines, refuse } = observed();
  for (let count = 0; count < 255; count += 1) refuse(String(count));
  expect(lines.length).toBe(0);
  refuse("last");
  expect(lines.length).toBe(256);
});
