import { afterEach, describe, expect, test } from "bun:test";
import { createLog } from "../../src/std/log.ts";
import {
  OtlpExporter,
  parseOtlpEndpoint,
  type Span,
  tracesJson,
} from "../../src/std/otlp_exporter.ts";

const SERVICE = { name: "program", version: "1.2" };

const spanOf = (name: string, changes: Partial<Span> = {}): Span => ({
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  parentSpanId: null,
  name,
  kind: "server",
  startMs: 1_781_526_600_000.25,
  endMs: 1_781_526_600_001.5,
  attributes: {},
  failed: false,
  ...changes,
});

/** A collector that answers as told and notes what it was sent. */
function startCollector(statuses: number[] = []) {
  const bodies: { names: string[]; headers: Headers }[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { resourceSpans } = (await request.json()) as {
        resourceSpans: { scopeSpans: { spans: { name: string }[] }[] }[];
      };
      const spans = resourceSpans.flatMap((one) => one.scopeSpans.flatMap(({ spans }) => spans));
      bodies.push({ names: spans.map(({ name }) => name), headers: request.headers });
      return new Response("{}", { status: statuses.shift() ?? 200 });
    },
  });
  servers.push(server);
  return { url: `http://127.0.0.1:${server.port}/v1/traces`, bodies };
}

const servers: Bun.Server<undefined>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true);
});

function exporterTo(url: string) {
  const logged: string[] = [];
  const log = createLog({
    level: "info",
    human: true,
    nowMs: () => 0,
    write: (line) => logged.push(line.slice(9).trim()),
  });
  const headers = { authorization: "Basic x" };
  return { exporter: new OtlpExporter({ url, headers, service: SERVICE, log }), logged };
}

test("spans are written as OTLP's JSON", () => {
  const attributes = {
    text: "a",
    whole: 3,
    part: 0.5,
    flag: true,
    list: ["x", "y"],
    absent: undefined,
  };
  const child = spanOf("b", { kind: "client", parentSpanId: "00f067aa0ba902b7", failed: true });
  const json: unknown = JSON.parse(tracesJson([spanOf("a", { attributes }), child], SERVICE));
  expect(json).toEqual({
    resourceSpans: [
      {
        resource: {
          attributes: [
            { key: "service.name", value: { stringValue: "program" } },
            { key: "service.version", value: { stringValue: "1.2" } },
          ],
        },
        scopeSpans: [
          {
            scope: { name: "program", version: "1.2" },
            spans: [
              {
                traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
                spanId: "00f067aa0ba902b7",
                name: "a",
                kind: 2,
                startTimeUnixNano: "1781526600000250000",
                endTimeUnixNano: "1781526600001500000",
                attributes: [
                  { key: "text", value: { stringValue: "a" } },
                  { key: "whole", value: { intValue: "3" } },
                  { key: "part", value: { doubleValue: 0.5 } },
                  { key: "flag", value: { boolValue: true } },
                  {
                    key: "list",
                    value: { arrayValue: { values: [{ stringValue: "x" }, { stringValue: "y" }] } },
                  },
                ],
                status: {},
              },
              {
                traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
                spanId: "00f067aa0ba902b7",
                parentSpanId: "00f067aa0ba902b7",
                name: "b",
                kind: 3,
                startTimeUnixNano: "1781526600000250000",
                endTimeUnixNano: "1781526600001500000",
                attributes: [],
                status: { code: 2 },
              },
            ],
          },
        ],
      },
    ],
  });
});

test.each([
  ["http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"],
  ["http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"],
  ["https://collector.example/otlp", "https://collector.example/otlp/v1/traces"],
  ["https://collector.example/v1/traces", "https://collector.example/v1/traces"],
])("traces for %s are posted to %s", (text, url) => {
  expect(parseOtlpEndpoint(text)).toBe(url);
});

test.each(["", "collector:4318", "grpc://a:1", "http://u:p@a:1", "http://a:1/?x=1", "http://a/#x"])(
  "%p is no address of a collector",
  (text) => expect(() => parseOtlpEndpoint(text)).toThrow(SyntaxError),
);

describe("an exporter", () => {
  test("sends what it was given together, with its headers", async () => {
    const { url, bodies } = startCollector();
    const { exporter } = exporterTo(url);
    exporter.add(spanOf("a"));
    exporter.add(spanOf("b"));
    expect(bodies).toEqual([]);
    await exporter.flush();
    expect(bodies.map(({ names }) => names)).toEqual([["a", "b"]]);
    expect(bodies[0]?.headers.get("authorization")).toBe("Basic x");
    expect(bodies[0]?.headers.get("content-type")).toBe("application/json");
    await exporter.close();
  });

  test("sends a full batch without waiting", async () => {
    const { url, bodies } = startCollector();
    const { exporter } = exporterTo(url);
    for (let index = 0; index < 512; index += 1) exporter.add(spanOf(`${index}`));
    while (bodies.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(bodies[0]?.names).toHaveLength(512);
    await exporter.close();
    expect(bodies).toHaveLength(1);
  });

  test("keeps what a collector does not take now, and says so once", async () => {
    const { url, bodies } = startCollector([503, 429]);
    const { exporter, logged } = exporterTo(url);
    exporter.add(spanOf("a"));
    await exporter.flush();
    await exporter.flush();
    exporter.add(spanOf("b"));
    await exporter.flush();
    expect(bodies.map(({ names }) => names)).toEqual([["a"], ["a"], ["a", "b"]]);
    expect(exporter.dropped).toBe(0);
    expect(logged).toEqual([
      'warn  cannot export traces error="status 503"',
      "info  traces are exported again dropped=0",
    ]);
    await exporter.close();
  });

  test("drops what a collector refuses for good", async () => {
    const { url, bodies } = startCollector([400]);
    const { exporter } = exporterTo(url);
    exporter.add(spanOf("a"));
    await exporter.flush();
    exporter.add(spanOf("b"));
    await exporter.flush();
    expect(bodies.map(({ names }) => names)).toEqual([["a"], ["b"]]);
    expect(exporter.dropped).toBe(1);
    await exporter.close();
  });

  test("drops the oldest beyond its bound while there is no collector, and the rest at the end", async () => {
    // A port that nobody listens on any more.
    const { url } = startCollector();
    await servers.pop()?.stop(true);
    const { exporter, logged } = exporterTo(url);
    exporter.add(spanOf("first"));
    await exporter.flush();
    expect(logged).toHaveLength(1);
    for (let index = 0; index < 4096 + 4; index += 1) exporter.add(spanOf(`${index}`));
    expect(exporter.dropped).toBe(5);
    await exporter.close();
    expect(exporter.dropped).toBe(4096 + 5);
    exporter.add(spanOf("late"));
    await exporter.flush();
    expect(exporter.dropped).toBe(4096 + 5);
    expect(logged).toHaveLength(1);
  });

  test("sends what is left when it is closed", async () => {
    const { url, bodies } = startCollector();
    const { exporter } = exporterTo(url);
    for (let index = 0; index < 600; index += 1) exporter.add(spanOf(`${index}`));
    await exporter.close();
    const names = bodies.flatMap((body) => body.names);
    expect(names).toEqual(Array.from({ length: 600 }, (_, index) => `${index}`));
  });
});
