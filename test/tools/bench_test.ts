import { describe, expect, test } from "bun:test";
import { AnswerReader, TAIL_BYTES } from "../../src/tools/bench/answer_reader.ts";
import { answerBytes, type AnswerSpec } from "../../src/tools/bench/answers.ts";
import { othersShare, parseMachineUse } from "../../src/tools/bench/machine_use.ts";
import { markdownTable, number, spreadText } from "../../src/tools/bench/markdown.ts";
import { PARTS, readOptions } from "../../src/tools/bench/options.ts";
import { parseCpuMs, parseStatusBytes } from "../../src/tools/bench/process_figures.ts";
import {
  added,
  cellTable,
  column,
  cpuUsPerCall,
  findingTable,
  timesFloor,
  totalP50Ms,
} from "../../src/tools/bench/report.ts";
import { requestBytes } from "../../src/tools/bench/request_bytes.ts";
import type { Cell } from "../../src/tools/bench/rig.ts";
import { pairwise, percentile, spread } from "../../src/tools/bench/statistics.ts";
import { chatBody, messages } from "../../src/tools/bench/works.ts";
import { parseWrk } from "../../src/tools/bench/wrk.ts";

const SPECS: readonly AnswerSpec[] = [
  { kind: "chat", wire: "openai" },
  { kind: "chat", wire: "anthropic" },
  { kind: "stream", wire: "openai", events: 25, gapMs: 0 },
  { kind: "stream", wire: "anthropic", events: 25, gapMs: 4 },
];

describe("statistics", () => {
  const cases: readonly (readonly [number[], number, number])[] = [
    [[7], 0.99, 7],
    [[1, 2, 3], 0.5, 2],
    [[1, 2, 3, 4], 0.5, 2.5],
    [[10, 20], 0.99, 19.9],
    [[0, 10, 20, 30, 40], 1, 40],
  ];
  for (const [values, fraction, expected] of cases) {
    test(`the percentile ${fraction} of ${values.join(" ")} is ${expected}`, () => {
      expect(percentile(values, fraction)).toBeCloseTo(expected, 9);
    });
  }

  test("nothing has no percentile", () => {
    expect(() => percentile([], 0.5)).toThrow("there are no values");
  });

  test("a spread does not depend on the order of the rounds", () => {
    expect(spread([30, 10, 20])).toEqual({ min: 10, median: 20, max: 30 });
  });

  test("rounds are compared one by one", () => {
    expect(pairwise([20, 90], [10, 30], (value, base) => value / base)).toEqual([2, 3]);
    expect(() => pairwise([1], [1, 2], Math.max)).toThrow("1 stand against 2");
  });
});

describe("figures of a process", () => {
  const tail = "S 1 1 1 0 -1 4194304 9 0 0 0 123 45 7 8 20 0 5 0 100 1000 10";

  for (const name of ["bun", "a name", "tmux: (server)", ") 1 2 3"]) {
    test(`CPU time is found behind the name "${name}"`, () => {
      expect(parseCpuMs(`4711 (${name}) ${tail}`)).toBe(1680);
    });
  }

  test("something else is no CPU time", () => {
    expect(() => parseCpuMs("4711 (bun) S 1")).toThrow("Cannot read CPU time");
  });

  test("a size is read by its whole name", () => {
    const status = "Name:\tbun\nVmHWM:\t  106496 kB\nVmRSS:\t    512 kB\n";
    expect(parseStatusBytes(status, "VmHWM")).toBe(104 * 2 ** 20);
    expect(parseStatusBytes(status, "VmRSS")).toBe(512 * 1024);
    expect(() => parseStatusBytes(status, "Vm")).toThrow("Cannot read Vm");
  });
});

describe("use of the machine", () => {
  const own = (ticks: number) => `9 (bun) S 1 1 1 0 -1 4 9 0 0 0 ${ticks} 0 0 0 20 0`;
  const all = (user: number, idle: number) => `cpu  ${user} 0 10 ${idle} 5 0 1 4 0 0\ncpu0 1 2 3`;

  test("what neither idles nor is ours was used by others, time stolen from the machine included", () => {
    const before = parseMachineUse(all(100, 1000), own(50));
    expect(before).toEqual({ total: 1120, busy: 115, own: 50 });
    const after = parseMachineUse(all(180, 1020), own(100));
    expect(othersShare(before, after)).toBeCloseTo(0.3, 9);
  });

  test("something else says nothing of it", () => {
    expect(() => parseMachineUse("intr 1 2 3", own(1))).toThrow("Cannot read use");
  });
});

describe("tables", () => {
  test("columns are as wide as their widest cell", () => {
    const table = markdownTable(["a", "long"], [["wide", "1"], ["b"]]);
    expect(table.split("\n")).toEqual([
      "| a    | long |",
      "| ---- | ---- |",
      "| wide | 1    |",
      "| b    |      |",
    ]);
  });

  const numbers: readonly (readonly [number, string])[] = [
    [12345.6, "12346"],
    [45.67, "45.7"],
    [1.234, "1.23"],
    [0, "0.00"],
    [-0.05678, "-0.057"],
  ];
  for (const [value, text] of numbers) {
    test(`${value} is written ${text}`, () => expect(number(value)).toBe(text));
  }

  test("a spread of equal values is one number", () => {
    expect(spreadText([5, 5, 5])).toBe("5.00");
    expect(spreadText([3, 1, 2])).toBe("2.00 (1.00-3.00)");
  });

  const cell = (target: string, cpuMs: number, p50: number, work = "chat"): Cell => ({
    work,
    connections: 1,
    target,
    events: 1,
    rounds: [
      { calls: 1000, seconds: 1, cpuMs, totalMs: { p50, p99: 1 }, firstMs: { p50: 1, p99: 1 } },
    ],
  });

  test("a proxy stands against the floor and the upstream of its own work", () => {
    const cells = [
      cell("direct", 9, 0.25),
      cell("floor", 30, 0.5),
      cell("ours", 45, 0.75),
      cell("floor", 1, 99, "other work"),
    ];
    const columns = [
      column("CPU", cpuUsPerCall),
      timesFloor(cpuUsPerCall),
      added("added", totalP50Ms),
    ];
    const rows = cellTable(cells, columns)
      .split("\n")
      .map((line) => line.split("|").map((text) => text.trim()));
    expect(rows.slice(2).map((row) => row.slice(3, 7))).toEqual([
      ["direct", "-", "-", "-"],
      ["floor", "30.0", "-", "0.25"],
      ["ours", "45.0", "1.50", "0.50"],
      ["floor", "1.00", "-", "-"],
    ]);
  });

  test("a figure is reached if the median of its rounds is within the limit", () => {
    const finding = { name: "n", unit: "x", atMost: 2 };
    const table = findingTable([
      { ...finding, values: [1, 2, 9] },
      { ...finding, values: [1, 2.1, 3] },
    ]);
    expect(table).toMatch(/2\.00 \(1\.00-9\.00\) x +\| <= 2 x +\| yes/);
    expect(table).toMatch(/2\.10 \(1\.00-3\.00\) x +\| <= 2 x +\| NO/);
  });
});

describe("an answer is read", () => {
  for (const spec of SPECS) {
    const whole = Buffer.concat([...answerBytes(spec).pieces]);

    test(`to its end, wherever it is cut: ${JSON.stringify(spec)}`, () => {
      const expected = read([whole]);
      expect(expected.complete).toBe(true);
      expect(expected.status).toBe(200);
      for (let bytes = 1; bytes < 40; bytes += 1) expect(read(cut(whole, bytes))).toEqual(expected);
    });

    test(`as not whole while its last byte is missing: ${JSON.stringify(spec)}`, () => {
      expect(read([whole.subarray(0, -1)]).complete).toBe(false);
    });
  }

  test("with the length and the end of its body", () => {
    const body = `${"x".repeat(50)}data: [DONE]\n\n`;
    const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const chunks = `32\r\n${body.slice(0, 50)}\r\ne;name=value\r\n${body.slice(50)}\r\n0\r\n\r\n`;
    expect(read([Buffer.from(head + chunks)])).toEqual({
      complete: true,
      status: 200,
      bodyBytes: 50 + TAIL_BYTES,
      tail: "data: [DONE]\n\n",
    });
  });

  const broken: readonly (readonly [string, string])[] = [
    ["SSH-2.0-server\r\n\r\n", "it begins with"],
    ["HTTP/1.1 200 OK\r\n\r\n", "nothing says how long it is"],
    ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "Cannot read chunk size"],
    ["HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nxHTTP", "bytes follow its end"],
  ];
  for (const [text, message] of broken) {
    test(`only if it is one: ${JSON.stringify(text)}`, () => {
      expect(() => read([Buffer.from(text)])).toThrow(message);
    });
  }
});

function read(pieces: readonly Buffer[]) {
  const reader = new AnswerReader();
  for (const piece of pieces) reader.push(piece);
  const { complete, status, bodyBytes, tail } = reader;
  return { complete, status, bodyBytes, tail };
}

function cut(whole: Buffer, bytes: number): Buffer[] {
  const count = Math.ceil(whole.length / bytes);
  return Array.from({ length: count }, (_, at) => whole.subarray(at * bytes, (at + 1) * bytes));
}

describe("what is sent", () => {
  for (const spec of SPECS.filter((one) => one.kind === "stream")) {
    test(`a stream has as many events as were asked for: ${spec.wire}`, () => {
      const text = Buffer.concat([...answerBytes(spec).pieces]).toString();
      expect(text.match(/^data: /gm)).toHaveLength(spec.events);
    });
  }

  test("a stream that is not sent at once has a piece for each event", () => {
    const spec = { kind: "stream", wire: "openai", events: 25 } as const;
    expect(answerBytes({ ...spec, gapMs: 4 }).pieces).toHaveLength(25);
    expect(answerBytes({ ...spec, gapMs: 0 }).pieces).toHaveLength(1);
  });

  test("a request declares its length in bytes", () => {
    const text = requestBytes("/a", { authorization: "Bearer k" }, "\u{20ac}").toString();
    expect(text).toStartWith("POST /a HTTP/1.1\r\n");
    expect(text).toContain("authorization: Bearer k\r\n");
    expect(text).toEndWith("content-length: 3\r\n\r\n\u{20ac}");
  });

  test("a prompt has the size asked for, and ends with the user", () => {
    for (const chars of [200, 2000, 20_000]) {
      const turns = messages(chars);
      expect(turns.reduce((sum, { content }) => sum + content.length, 0)).toBe(chars);
      expect(turns.at(-1)?.role).toBe("user");
    }
    expect(JSON.parse(chatBody("openai/m", 200, true))).toMatchObject({ stream: true });
  });
});

describe("options", () => {
  test("the quick form measures everything but the load generator", () => {
    expect(readOptions(["dist/proxy"])).toEqual({
      binary: "dist/proxy",
      parts: PARTS.filter((part) => part !== "generator"),
      rounds: 5,
      seconds: 0.8,
      rows: 1_000_000,
      portkey: false,
      against: null,
    });
  });

  test("parts keep their order, and rows may be chosen in the long form too", () => {
    const options = readOptions(["b", "--long", "--only", "ledger,chat", "--rows", "5000"]);
    expect(options).toMatchObject({ parts: ["chat", "ledger"], rows: 5000, rounds: 9 });
    expect(readOptions(["b", "--long"])).toMatchObject({ parts: PARTS, rows: 10_000_000 });
  });

  for (const argv of [[], ["--long"], ["b", "--only", "chats"], ["b", "--rows", "0"], ["b", "c"]]) {
    test(`are refused: ${argv.join(" ") || "none"}`, () => {
      expect(() => readOptions(argv)).toThrow("Cannot");
    });
  }
});

describe("the report of wrk", () => {
  const report = (half: string) => `  Latency Distribution
     50%  ${half}
     75%    1.10ms
  1234 requests in 1.00s, 1.5MB read
Requests/sec:  35568.12
`;
  const cases: readonly (readonly [string, number])[] = [
    ["810.00us", 0.81],
    ["1.25ms", 1.25],
    ["2.00s", 2000],
  ];
  for (const [half, p50Ms] of cases) {
    test(`has a median of ${half}`, () => {
      const result = parseWrk(report(half));
      expect(result.callsPerS).toBe(35_568.12);
      expect(result.p50Ms).toBeCloseTo(p50Ms, 9);
    });
  }

  test("is void if a call failed", () => {
    const failed = `${report("1.00ms")}  Non-2xx or 3xx responses: 3\n`;
    expect(() => parseWrk(failed)).toThrow("Cannot read report");
  });
});
