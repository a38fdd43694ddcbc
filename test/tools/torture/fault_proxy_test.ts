import { afterAll, expect, test } from "bun:test";
import { AnswerReader } from "../../../src/tools/bench/answer_reader.ts";
import { asSent, captureAnswer } from "../../../src/tools/torture/faults/captured_answer.ts";
import { FaultProxy, type Step } from "../../../src/tools/torture/faults/fault_proxy.ts";
import { RawClient } from "../../../src/tools/torture/raw_client.ts";
import { startRawUpstream } from "../../../src/tools/torture/raw_upstream.ts";

const WAIT_MS_MAX = 10_000;

const provider = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: async (request) => {
    if ((await request.text()).includes('"stream":true'))
      return new Response("data: 1\n\ndata: 2\n\ndata: [DONE]\n\n", {
        headers: { "content-type": "text/event-stream" },
      });
    return Response.json({ answer: "whole" });
  },
});
const port = provider.port ?? 0;
const proxy = await FaultProxy.start(port);
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await provider.stop(true);
});

function requestOf(model: string, stream: boolean): Buffer {
  const body = JSON.stringify({ model, stream });
  return Buffer.from(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
}

async function ask(model: string, stream = false): Promise<RawClient> {
  const client = await RawClient.connect({ port: Number(proxy.address.split(":")[1]) });
  client.send(requestOf(model, stream));
  await client.until(() => client.complete, WAIT_MS_MAX);
  return client;
}

test("an answer is sent as it is captured: whole with its length, a stream event by event", async () => {
  const whole = await captureAnswer(port, requestOf("a", false));
  expect(whole).toMatchObject({ statusLine: "HTTP/1.1 200 OK", stream: false });
  expect(asSent(whole).toString()).toContain('content-length: 18\r\n\r\n{"answer":"whole"}');
  const stream = await captureAnswer(port, requestOf("a", true));
  expect(stream.stream).toBe(true);
  const sent = asSent(stream).toString();
  expect(sent).toEndWith(
    "transfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n",
  );
  const pieces: Buffer[] = [];
  const reader = new AnswerReader((bytes) => void pieces.push(bytes));
  reader.push(Buffer.from(sent));
  expect(reader.complete).toBe(true);
  expect(stream.body.equals(Buffer.concat(pieces))).toBe(true);
});

test("only the call of that name is spoilt, in the order of the steps", async () => {
  proxy.faults.set("spoilt", function* (answer): Generator<Step> {
    yield Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n");
    yield { waitMs: 0 };
    yield answer.body;
    yield "close";
  });
  const fine = await ask("fine");
  expect(fine).toMatchObject({ status: 200, complete: true, text: '{"answer":"whole"}' });
  fine.hangUp("close");
  const spoilt = await ask("spoilt");
  expect(spoilt).toMatchObject({ status: 200, complete: false, closed: true });
  expect(spoilt.text).toBe('{"answer":"whole"}');
  await proxy.sent;
  expect(proxy.hasEnded).toBe(true);
  expect(proxy.arrivals).toEqual(["fine", "spoilt"]);
});

test("a connection ends as soon as the head is there, if that is asked for", async () => {
  for (const early of ["close", "reset"] as const) {
    proxy.early = early;
    expect(await ask("early")).toMatchObject({ status: 0, closed: true });
  }
  proxy.early = null;
  expect(proxy.arrivals).not.toContain("early");
});

test("an upstream counts the connections that are open, and knows what was asked on each", async () => {
  const seen: [string, boolean, number][] = [];
  await using upstream = await startRawUpstream({
    serve: async ({ model, stream, earlier }, connection) => {
      seen.push([model, stream, earlier]);
      await connection.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    },
  });
  const first = await RawClient.connect({ port: upstream.port });
  const bytes = Buffer.concat([requestOf("one", false), requestOf("two", true)]);
  first.send(bytes.subarray(0, 20));
  first.send(bytes.subarray(20, requestOf("one", false).length));
  await first.until(() => first.complete, WAIT_MS_MAX);
  expect(first.text).toBe("ok");
  first.send(requestOf("two", true));
  const second = await RawClient.connect({ port: upstream.port });
  second.send(requestOf("three", false));
  await second.until(() => second.complete, WAIT_MS_MAX);
  while (seen.length < 3) await Bun.sleep(1);
  expect(seen).toContainEqual(["one", false, 0]);
  expect(seen).toContainEqual(["two", true, 1]);
  expect(seen).toContainEqual(["three", false, 0]);
  expect(upstream.open).toBe(2);
  first.hangUp("reset");
  second.hangUp("close");
  while (upstream.open > 0) await Bun.sleep(1);
  expect(upstream.arrivals.toSorted()).toEqual(["one", "three", "two"]);
});
