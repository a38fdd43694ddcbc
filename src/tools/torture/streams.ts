import { Pacer } from "../bench/pacer.ts";
import { peakRssBytes } from "../bench/process_figures.ts";
import { ask } from "./client.ts";
import { closingAnswer } from "./closing_answer.ts";
import { endedCalls, endedFaults, waitUntilEnded } from "./ended_calls.ts";
import type { PartOptions } from "./part.ts";
import { Proxy } from "./proxy.ts";
import { Random } from "./random.ts";
import { callBytes } from "./raw_call.ts";
import { RawClient } from "./raw_client.ts";
import { type RawRequest, startRawUpstream, type UpstreamConnection } from "./raw_upstream.ts";
import { mustHold } from "./violation.ts";

const STREAMS = { quick: 1000, long: 5000 };

/** Of ten clients one does not read on, and one goes away. */
const PART = 10;

/** A chunk a second for so long. */
const EVENTS = 10;
const GAP_MS = 1000;

/**
 * How long an answer may go on in the quick form, so that those whose client does not read come to an end. In the
 * long form the proxy's own limit on such clients ends them.
 */
const ANSWER_S_MAX = 14;
const STALL_MS_MAX = { quick: ANSWER_S_MAX * 1000 + 10_000, long: 90_000 };

/** Connections are made so many at a time, as a proxy's queue of those it has not accepted is short. */
const BATCH = 250;
const BATCH_GAP_MS = 25;

/** How long a stream may take to be over, in milliseconds: much longer than it goes on. */
const STREAM_MS_MAX = 60_000;

/** A stream that nobody reads is sent much faster than any model writes, and would go on for ever. */
const STALLED_PIECE_BYTES = 1 << 16;
const STALLED_PIECES_PER_S = 2000;

/**
 * What a process of this kind takes; what a stream does, for which 24 KB were measured; and what a client may cost
 * that does not read. Of that 2 MB were measured to stay, which the runtime has read ahead, and 8 MB to come and go
 * while sockets fill up. If the proxy kept all that is sent, it would soon be many times as much.
 */
const BASE_BYTES = 160 * 2 ** 20;
const STREAM_BYTES = 40 * 2 ** 10;
const STALLED_BYTES = 16 * 2 ** 20;

type Kind = "well" | "stalled" | "left";

/** What became of one stream, as its client saw it. */
interface StreamEnd {
  readonly kind: Kind;
  /** Null if nothing is wrong. */
  readonly wrong: string | null;
}

/** Holds thousands of streams open at a time, of which some are not read, and some are left. */
export async function streams({ binary, long, seed }: PartOptions): Promise<string> {
  const random = new Random(seed);
  const count = long ? STREAMS.long : STREAMS.quick;
  const pacer = new Pacer(GAP_MS);
  let paced = false;
  const stalled = count / PART;
  const gapMs = (1000 * stalled) / STALLED_PIECES_PER_S;
  await using upstream = await startRawUpstream({
    serve: (request, connection) => serve(request, connection, gapMs, paced ? pacer : null),
  });
  const capacity = ["--concurrency", String(count * 2), "--key-concurrency", String(count * 2)];
  const limit = long ? [] : ["--answer-time-limit-s", String(ANSWER_S_MAX)];
  const flags = [...capacity, ...limit];
  await using proxy = await Proxy.open({ binary, upstream: upstream.address, flags });
  const key = await proxy.createKey();
  const expected = {
    well: await expectedBody(proxy, key.secret, "well"),
    left: await expectedBody(proxy, key.secret, "left"),
    stalled: NOTHING,
  };
  paced = true;
  const kinds = kindsOf(count, random);
  const open: Promise<StreamEnd>[] = [];
  const waiting = new Set<RawClient>();
  for (const [index, kind] of kinds.entries()) {
    open.push(runStream(kind, { port: proxy.port, secret: key.secret, expected, waiting, random }));
    if (index % BATCH === BATCH - 1) await Bun.sleep(BATCH_GAP_MS);
  }
  const ends = await Promise.all(open);
  mustHold(
    "Streams",
    ends.flatMap(({ wrong }) => wrong ?? []),
  );
  await waitUntilEnded(proxy, upstream, long ? STALL_MS_MAX.long : STALL_MS_MAX.quick);
  for (const client of waiting) client.hangUp("reset");
  pacer.stop();
  const peak = peakRssBytes([proxy.pid]);
  const bound = BASE_BYTES + count * STREAM_BYTES + stalled * STALLED_BYTES;
  const ended = endedCalls(proxy);
  mustHold("After many streams", [
    ...(peak > bound ? [`${mb(peak)} were used, should be at most ${mb(bound)}`] : []),
    ...ended.flatMap((one) =>
      one.name === "well" && one.exact !== one.calls
        ? [`of ${one.calls} streams ${one.exact} are charged as reported`]
        : [],
    ),
    ...(await endedFaults(proxy, [key], upstream, true)),
  ]);
  const well = ends.filter(({ kind }) => kind === "well").length;
  return (
    `${count} at a time: ${well} read whole and byte for byte, ${stalled} not read and ended by the proxy, ` +
    `${stalled} left; all settled, nothing held, no connection open; memory at most ${mb(peak)} of ${mb(bound)}`
  );
}

interface StreamRun {
  readonly port: number;
  readonly secret: string;
  /** What a client that reads is sent: the same for each. */
  readonly expected: Readonly<Record<Kind, Buffer>>;
  /** Clients that do not read, to be ended by whoever has seen enough. */
  readonly waiting: Set<RawClient>;
  readonly random: Random;
}

async function runStream(kind: Kind, run: StreamRun): Promise<StreamEnd> {
  const { random } = run;
  const expected = run.expected[kind];
  let at = 0;
  let same = true;
  const client = await RawClient.connect(run, (bytes) => {
    same &&= expected.subarray(at, at + bytes.length).equals(bytes);
    at += bytes.length;
  });
  client.send(callBytes(run.secret, { model: kind, operation: "chat", stream: true }));
  const seen = () =>
    `${kind}, status ${client.status}, ${at} of ${expected.length} bytes, ` +
    `${same ? "as expected" : "others than expected"}, ${client.complete ? "complete" : `closed: ${client.closed}`}`;
  if (kind === "left") {
    const leaves = await client.until(() => client.complete, random.between(0, EVENTS * GAP_MS));
    client.hangUp(random.pick(["reset", "close"]));
    return { kind, wrong: leaves && !same ? seen() : null };
  }
  if (kind === "stalled") {
    const begun = await client.until(() => at > 0, STREAM_MS_MAX);
    client.stall();
    run.waiting.add(client);
    return { kind, wrong: begun ? null : `a stream did not begin: ${seen()}` };
  }
  const whole = await client.until(() => client.complete, STREAM_MS_MAX);
  const { status } = client;
  client.hangUp("close");
  const wrong = !whole || !same || status !== 200 || at !== expected.length;
  return { kind, wrong: wrong ? `a stream is not whole, or another: ${seen()}` : null };
}

const NOTHING = Buffer.alloc(0);

async function expectedBody(proxy: Proxy, secret: string, model: Kind): Promise<Buffer> {
  const call = { model, operation: "chat", stream: true } as const;
  const { status, text } = await ask({ url: proxy.url, secret }, call);
  const events = text?.split("\n\n") ?? [];
  const isWhole = events.length === EVENTS && events.at(-2) === "data: [DONE]";
  if (status === 200 && isWhole) return Buffer.from(text ?? "");
  throw new Error(`Cannot begin: a stream is answered ${status} ${text}`);
}

function kindsOf(count: number, random: Random): Kind[] {
  const kinds = Array.from({ length: count }, (_, index): Kind => {
    if (index % PART === 0) return "stalled";
    return index % PART === 1 ? "left" : "well";
  });
  return kinds
    .map((kind) => ({ kind, place: random.next() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ kind }) => kind);
}

const PIECES = closingAnswer({
  kind: "stream",
  wire: "openai",
  events: EVENTS,
  gapMs: GAP_MS,
});

/** Answers a call as its name asks, a chunk at a time, or without a pacer all at once. */
function serve(
  { model }: RawRequest,
  connection: UpstreamConnection,
  gapMs: number,
  pacer: Pacer | null,
): void {
  if (model === "stalled") return void pour(connection, gapMs);
  let sent = 0;
  const step = () => {
    const piece = PIECES[sent];
    sent += 1;
    if (piece === undefined || connection.isClosed) return false;
    void connection.write(piece);
    if (sent === PIECES.length) connection.close();
    return sent < PIECES.length;
  };
  if (pacer === null) while (step());
  else if (step()) pacer.add(step);
}

/** Sends as much as is taken, a piece after each gap. */
async function pour(connection: UpstreamConnection, gapMs: number): Promise<void> {
  const [begin = ""] = PIECES;
  await connection.write(begin);
  const choice = { index: 0, delta: { content: "x".repeat(STALLED_PIECE_BYTES) } };
  const event = `data: ${JSON.stringify({ object: "chat.completion.chunk", choices: [choice] })}\n\n`;
  const chunk = `${event.length.toString(16)}\r\n${event}\r\n`;
  while (!connection.isClosed) {
    await connection.write(chunk);
    await Bun.sleep(gapMs);
  }
}

function mb(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}
