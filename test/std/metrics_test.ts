import { beforeEach, describe, expect, test } from "bun:test";
import { Histogram, Metrics } from "../../src/std/metrics.ts";

let metrics: Metrics;
beforeEach(() => {
  metrics = new Metrics();
});

const samples = async (): Promise<string[]> =>
  (await metrics.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));

describe("a counter", () => {
  test("is shown with its labels and what was added", async () => {
    const calls = metrics.counter({ name: "calls_total", help: "Calls", labels: ["a", "b"] });
    calls.with("x", "y").add();
    calls.with("x", "z").add(2.5);
    calls.with("x", "y").add();
    expect(await metrics.text()).toBe(
      "# HELP calls_total Calls\n# TYPE calls_total counter\n" +
        'calls_total{a="x",b="y"} 2\ncalls_total{a="x",b="z"} 2.5\n',
    );
  });

  test("has one series for the same labels, and another for others however they are cut", () => {
    const calls = metrics.counter({ name: "calls_total", help: "Calls", labels: ["a", "b"] });
    expect(calls.with("x", "y")).toBe(calls.with("x", "y"));
    expect(calls.with("xy", "")).not.toBe(calls.with("x", "y"));
    expect(calls.with("", "xy")).not.toBe(calls.with("xy", ""));
  });

  test("without labels has one series", async () => {
    const calls = metrics.counter({ name: "calls_total", help: "Calls" });
    calls.with().add(3);
    expect(calls.with().value).toBe(3);
    expect(await samples()).toEqual(["calls_total 3"]);
  });

  test("counts further labels together once it has as many as it may have", async () => {
    const calls = metrics.counter({
      name: "calls_total",
      help: "Calls",
      labels: ["a", "b"],
      seriesMax: 2,
    });
    for (const [a, b] of [
      ["1", "1"],
      ["2", "1"],
      ["3", "1"],
      ["1", "2"],
      ["4", "4"],
      ["1", "1"],
    ] as const)
      calls.with(a, b).add();
    expect(await samples()).toEqual([
      'calls_total{a="1",b="1"} 2',
      'calls_total{a="2",b="1"} 1',
      'calls_total{a="other",b="other"} 3',
    ]);
  });
});

describe("a histogram", () => {
  test("counts a value in every bucket that it fits into, its bound included", async () => {
    const seconds = metrics.histogram({ name: "seconds", help: "S", labels: ["a"] }, [0.1, 1]);
    for (const value of [0.1, 0.5, 1, 7]) seconds.with("x").observe(value);
    expect(await samples()).toEqual([
      'seconds_bucket{a="x",le="0.1"} 1',
      'seconds_bucket{a="x",le="1"} 3',
      'seconds_bucket{a="x",le="+Inf"} 4',
      'seconds_sum{a="x"} 8.6',
      'seconds_count{a="x"} 4',
    ]);
  });

  test("that somebody else keeps is shown as it is", async () => {
    const kept = new Histogram([1]);
    metrics.show({ name: "kept_seconds", help: "S" }, kept);
    kept.observe(2);
    expect(await samples()).toEqual([
      'kept_seconds_bucket{le="1"} 0',
      'kept_seconds_bucket{le="+Inf"} 1',
      "kept_seconds_sum 2",
      "kept_seconds_count 1",
    ]);
  });
});

describe("a gauge", () => {
  test("shows the samples that it was last told, and no older ones", async () => {
    const used = metrics.gauge({ name: "used", help: "U", labels: ["a"] });
    used.show([
      [["x"], 1],
      [["y"], 2],
    ]);
    used.show([[["y"], 3]]);
    expect(await samples()).toEqual(['used{a="y"} 3']);
  });

  test("leaves out the samples beyond its bound", async () => {
    const used = metrics.gauge({ name: "used", help: "U", labels: ["a"], seriesMax: 1 });
    used.show([
      [["x"], 1],
      [["y"], 2],
    ]);
    expect(await samples()).toEqual(['used{a="x"} 1']);
  });

  test("without labels is what it was set to", async () => {
    const used = metrics.gauge({ name: "used", help: "U" });
    used.set(4);
    used.set(5);
    expect(await samples()).toEqual(["used 5"]);
  });
});

test("a metric without series is not shown, and others stand in the order in which they were made", async () => {
  metrics.counter({ name: "none_total", help: "N", labels: ["a"] });
  metrics.counter({ name: "b_total", help: "B" }).with();
  metrics.counter({ name: "a_total", help: "A" }).with();
  expect(await samples()).toEqual(["b_total 0", "a_total 0"]);
});

test("two metrics cannot have one name", () => {
  metrics.counter({ name: "a_total", help: "A" });
  expect(() => metrics.gauge({ name: "a_total", help: "A" })).toThrow("a_total");
});

test("long texts are whole, though others get their turn in between", async () => {
  const names = Array.from({ length: 20 }, (_, index) => `metric_${index}_total`);
  for (const name of names) {
    const family = metrics.counter({ name, help: "M", labels: ["a"] });
    for (let index = 0; index < 1000; index += 1) family.with(`value ${index}`).add();
  }
  const turns: number[] = [];
  const text = metrics.text().then((written) => {
    turns.push(2);
    return written;
  });
  setImmediate(() => turns.push(1));
  expect((await text).split("\n").filter((line) => line.endsWith(" 1"))).toHaveLength(20_000);
  expect(turns).toEqual([1, 2]);
});
