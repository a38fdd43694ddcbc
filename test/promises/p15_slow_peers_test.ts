import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { openProxy, type TestProxy } from "../support/proxy.ts";
import { connectRaw, type RawConnection } from "../support/raw_http.ts";

// P15: a reader that stalls, a provider's line without end or hundreds of clients that send slowly cost a bounded
// amount, and others are served meanwhile.

setDefaultTimeout(60_000);

const CALLS = "/inference/v1/chat/completions";
const BODY = '{"model":"openai/gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}';
const STREAM = BODY.replace("{", '{"stream":true,');

let proxy: TestProxy;
let secret = "";
beforeAll(async () => {
  proxy = await openProxy(["--key-concurrency", "200"]);
  await proxy.configure();
  ({ secret } = await proxy.createKey());
});
afterAll(() => proxy.close());

function head(...lines: readonly string[]): string {
  const own = ["Host: 127.0.0.1", `Authorization: Bearer ${secret}`, ...lines];
  return [`POST ${CALLS} HTTP/1.1`, ...own, "", ""].join("\r\n");
}

/** Makes a call on a connection of its own. Returns its status. */
async function call(): Promise<number> {
  const connection = await connectRaw(proxy.binary.url);
  connection.socket.write(head(`Content-Length: ${BODY.length}`, "Connection: close") + BODY);
  return Number(/^HTTP\/1\.1 (\d+)/.exec(await connection.ended)?.[1]);
}

/** Returns the resident memory of the process, in megabytes. */
function residentMb(): number {
  const status = readFileSync(`/proc/${proxy.binary.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** How a client sends slowly: what it sends at once, and what it sends each second. */
const SLOW: Readonly<Record<string, () => readonly [atOnce: string, eachSecond: string]>> = {
  "say nothing": () => ["", ""],
  "stop in the middle of a head": () => [`POST ${CALLS} HTTP/1.1\r\nHost: x\r\n`, ""],
  "send a head byte by byte": () => [`POST ${CALLS} HTTP/1.1\r\nHost: x\r\n`, "x"],
  "send a head line by line": () => [`POST ${CALLS} HTTP/1.1\r\nHost: x\r\n`, "x: y\r\n"],
  "stop in the middle of a body": () => [`${head("Content-Length: 500")}{`, ""],
  "send a body byte by byte": () => [`${head("Content-Length: 500")}{`, " "],
  "send chunks of a byte": () => [`${head("Transfer-Encoding: chunked")}1\r\n{\r\n`, "1\r\n \r\n"],
  "send a body for nobody": () => [
    "PUT /organizations/x/inference/settings HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500\r\n\r\n{",
    " ",
  ],
  "ask nothing more": () => ["GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", ""],
};

const EACH = 40;

test("P15: clients that send slowly are sent away, and others are served meanwhile", async () => {
  const slow: { readonly connection: RawConnection; readonly eachSecond: string }[] = [];
  for (const peer of Object.values(SLOW)) {
    const [atOnce, eachSecond] = peer();
    for (let time = 0; time < EACH; time += 1) {
      const connection = await connectRaw(proxy.binary.url);
      if (atOnce !== "") connection.socket.write(atOnce);
      slow.push({ connection, eachSecond });
    }
  }
  const drip = setInterval(() => {
    for (const { connection, eachSecond } of slow)
      if (eachSecond !== "" && connection.socket.writable) connection.socket.write(eachSecond);
  }, 1000);
  let waiting = slow.length;
  for (const { connection } of slow) void connection.ended.then(() => (waiting -= 1));
  const before = proxy.standIn.count;
  let served = 0;
  while (waiting > 0) {
    expect(await call()).toBe(200);
    served += 1;
    await Bun.sleep(100);
  }
  clearInterval(drip);
  expect(served).toBeGreaterThan(10);
  // None of what they sent was a call.
  expect(proxy.standIn.count - before).toBe(served);
  // They hold nothing any more: their key has all its room.
  const { promise, resolve: release } = Promise.withResolvers<void>();
  for (let time = 0; time < 200; time += 1) proxy.standIn.next({ until: promise });
  const calls = Array.from({ length: 200 }, call);
  while (proxy.standIn.count - before - served < 200) await Bun.sleep(5);
  release();
  expect(new Set(await Promise.all(calls))).toEqual(new Set([200]));
});

const READERS = 30;

/** What one reader that stalls may cost, in megabytes: the runtime reads ahead, and what it read is kept. */
const READER_MB_MAX = 6;

/** Opens streams that nobody reads, and returns when they have stopped. */
async function stall(): Promise<RawConnection[]> {
  const event = `data: {"choices":[{"index":0,"delta":{"content":"${"x".repeat(60_000)}"}}]}\n\n`;
  let sent = 0;
  const connections: RawConnection[] = [];
  for (let reader = 0; reader < READERS; reader += 1) {
    proxy.standIn.next({
      pieces: (async function* () {
        for (;;) {
          sent += 1;
          yield event;
        }
      })(),
    });
    const connection = await connectRaw(proxy.binary.url);
    connection.socket.write(head(`Content-Length: ${STREAM.length}`) + STREAM);
    connection.socket.pause();
    connections.push(connection);
  }
  for (let still = 0, before = -1; still < 50; still = sent === before ? still + 1 : 0) {
    before = sent;
    await Bun.sleep(10);
  }
  return connections;
}

test("P15: readers that stall stop their providers, and cost a bounded amount of memory", async () => {
  expect(await call()).toBe(200);
  const beforeMb = residentMb();
  const connections = await stall();
  const grownMb = residentMb() - beforeMb;
  console.log(`${READERS} readers that stall: ${Math.round(grownMb)} MB more`);
  expect(grownMb).toBeLessThan(READERS * READER_MB_MAX);
  expect(await call()).toBe(200);
  for (const { socket } of connections) socket.destroy();
});

test("P15: lines without end are given up, and cost a bounded amount of memory", async () => {
  const beforeMb = residentMb();
  const answers: Promise<string>[] = [];
  for (let stream = 0; stream < READERS; stream += 1) {
    proxy.standIn.next({
      pieces: (async function* () {
        for (;;) yield "x".repeat(60_000);
      })(),
    });
    const connection = await connectRaw(proxy.binary.url);
    connection.socket.write(head(`Content-Length: ${STREAM.length}`, "Connection: close") + STREAM);
    answers.push(connection.ended);
  }
  for (const answer of await Promise.all(answers)) expect(answer).toStartWith("HTTP/1.1 502");
  expect(residentMb() - beforeMb).toBeLessThan(READERS * READER_MB_MAX);
  expect(await call()).toBe(200);
});
