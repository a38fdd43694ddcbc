import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createLog, type Fields, type Level } from "../../src/std/log.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;

function linesOf(
  { level = "debug", human }: { level?: Level; human: boolean },
  write: (log: ReturnType<typeof createLog>) => void,
): string[] {
  const lines: string[] = [];
  const nowMs = () => Date.UTC(2026, 5, 15, 12, 30, 1, 5);
  write(createLog({ level, human, nowMs, write: (line) => lines.push(line) }));
  return lines;
}

const lineOf = (human: boolean, message: string, fields?: Fields): string =>
  linesOf({ human }, (log) => log.info(message, fields)).join("");

test("a line for machines is JSON with the time, the level, the message and its fields", () => {
  const line = lineOf(false, "call ended", {
    calls: 2,
    ok: true,
    model: "a b",
    id: null,
    no: undefined,
  });
  expect(line).toBe(
    '{"ts":"2026-06-15T12:30:01.005Z","level":"info","msg":"call ended","calls":2,"ok":true,"model":"a b","id":null}\n',
  );
});

test("a line for people has the time of day and fields that are quoted where they must be", () => {
  const fields = { calls: 2, url: "http://a.b/c:d", text: 'say "x"', empty: "", no: undefined };
  expect(lineOf(true, "call ended", fields)).toBe(
    '12:30:01 info  call ended calls=2 url=http://a.b/c:d text="say \\"x\\"" empty=""\n',
  );
});

for (const human of [false, true]) {
  describe(human ? "a log for people" : "a log for machines", () => {
    test("writes nothing below its level", () => {
      for (const [index, level] of LEVELS.entries()) {
        const lines = linesOf({ level, human }, (log) => {
          for (const each of LEVELS) log[each](`at ${each}`);
        });
        expect(lines.map((line) => /at (\w+)/.exec(line)?.[1])).toEqual(LEVELS.slice(index));
      }
    });

    test("writes one line without control characters, whatever it is told", () => {
      const anyText = fc.string({
        unit: fc.oneof(
          fc.constantFrom(
            "\n",
            "\r",
            "\u0000",
            "\u001b",
            "\u007f",
            "\u0085",
            "\u009b",
            "\u2028",
            "\u2029",
          ),
          fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
        ),
      });
      const anyFields = fc.dictionary(
        fc.constantFrom("a", "b", "c"),
        fc.oneof(anyText, fc.double(), fc.boolean(), fc.constant(null), fc.constant(undefined)),
      );
      fc.assert(
        fc.property(anyText, anyFields, (message, fields) => {
          const line = lineOf(human, message, fields);
          expect(line).toEndWith("\n");
          expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
        }),
      );
    });

    test("clips what is long", () => {
      for (const char of ["x", " ", "\n"]) {
        const line = lineOf(human, "m".repeat(5000), { a: char.repeat(5000) });
        expect(line).toContain(`${"m".repeat(2000)}...`);
        expect(line).not.toContain("m".repeat(2001));
        expect(line.length).toBeLessThan(6200);
        expect(line.split("...")).toHaveLength(3);
      }
      expect(lineOf(human, "m".repeat(2000))).not.toContain("...");
    });
  });
}

test("what JSON cannot say of numbers is null", () => {
  const fields = { a: Number.NaN, b: Number.POSITIVE_INFINITY, c: -0.5, d: false };
  expect(JSON.parse(lineOf(false, "m", fields))).toMatchObject({ a: null, b: null, c: -0.5 });
});

test("a line that journald reads begins with the priority of its level", () => {
  const lines: string[] = [];
  const nowMs = () => 0;
  const write = (line: string, level: Level) => lines.push(`${level}: ${line.slice(0, 4)}`);
  const log = createLog({ level: "debug", human: false, journal: true, nowMs, write });
  for (const each of LEVELS) log[each]("m");
  expect(lines).toEqual(["debug: <7>{", "info: <6>{", "warn: <4>{", "error: <3>{"]);
});

test("the time of a line is that of its writing, also within a second", () => {
  const times: string[] = [];
  let nowMs = Date.UTC(2026, 5, 15, 12, 30, 1, 5);
  const write = (line: string) => times.push(line.slice(7, 31));
  const log = createLog({ level: "info", human: false, nowMs: () => nowMs, write });
  for (const passedMs of [0, 0, 1, 1000]) {
    nowMs += passedMs;
    log.info("m");
  }
  expect(times).toEqual([
    "2026-06-15T12:30:01.005Z",
    "2026-06-15T12:30:01.005Z",
    "2026-06-15T12:30:01.006Z",
    "2026-06-15T12:30:02.006Z",
  ]);
});

test("what a log for machines is told can be read back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 50 }), (text) => {
      expect(JSON.parse(lineOf(false, text, { text }))).toMatchObject({ msg: text, text });
    }),
  );
});
