import { expect, setDefaultTimeout, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { openProxy, type TestProxy } from "../support/proxy.ts";

// P17: told to stop, the program takes no new calls, lets those in flight end in their time, settles every one and
// ends with 0; told again, it ends them at once.

setDefaultTimeout(60_000);

const STREAMS = 3;
const WHOLE = 2;
const CALLS = STREAMS + WHOLE;

/** A call in flight: its answer as far as it came. */
interface Call {
  readonly answer: Promise<Response>;
  readonly text: Promise<string>;
}

/** A proxy with calls in flight that go on until they are released, and what they are called with. */
interface Busy {
  readonly proxy: TestProxy;
  readonly secret: string;
  readonly streams: readonly Call[];
  readonly whole: readonly Call[];
  readonly release: () => void;
}

function call({ baseUrl }: Pick<TestProxy, "baseUrl">, secret: string, stream: boolean): Call {
  const answer = fetch(`${baseUrl}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}` },
    body: JSON.stringify({
      model: "openai/gpt-4o-mini",
      messages: [{ role: "user", content: "hi" }],
      max_tokens: 77,
      stream,
    }),
  });
  return { answer, text: answer.then((response) => response.text()) };
}

/** Makes calls that wait for their ends, whole ones and streams that have begun. */
async function makeBusy(proxy: TestProxy): Promise<Busy> {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await proxy.configure();
  const { secret } = await proxy.createKey();
  for (let index = 0; index < STREAMS; index += 1)
    proxy.standIn.next({ pieces: piecesUntil(released) });
  const streams = Array.from({ length: STREAMS }, () => call(proxy, secret, true));
  // Each has begun, so that what comes next is the turn of another.
  await Promise.all(streams.map(({ answer }) => answer));
  for (let index = 0; index < WHOLE; index += 1) proxy.standIn.next({ until: released });
  const whole = Array.from({ length: WHOLE }, () => call(proxy, secret, false));
  await eventually(() => proxy.standIn.count === CALLS);
  return { proxy, secret, streams, whole, release };
}

async function* piecesUntil(released: Promise<void>) {
  const chunk = (choice: object, usage?: object) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, ...choice }], usage })}\n\n`;
  yield chunk({ delta: { content: "first" } });
  await released;
  yield chunk({ delta: {}, finish_reason: "stop" }, { prompt_tokens: 5, completion_tokens: 2 });
  yield "data: [DONE]\n\n";
}

/** Tells the program to stop, and waits until it says that it does. */
async function tellToStop({ binary }: TestProxy, signal: NodeJS.Signals): Promise<void> {
  process.kill(binary.pid, signal);
  await eventually(() => binary.output().includes("stopping"));
}

/** Returns how the ledger says that the calls ended, after another start. */
async function settled(proxy: TestProxy, { streams, whole }: Busy) {
  await proxy.startAgain();
  expect(proxy.binary.output()).not.toContain("left open");
  const answers = await Promise.all([...streams, ...whole].map(({ answer }) => answer));
  const ids = answers.map(({ headers }) => headers.get("x-request-id"));
  expect(new Set(ids).size).toBe(CALLS);
  const records = await Promise.all(ids.map((id) => proxy.manage("GET", `/calls/${id}`)));
  const [row] = await proxy.usage();
  expect(row?.calls).toBe(CALLS);
  return records.map(({ body: { state, ending, estimated } }) => ({ state, ending, estimated }));
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`P17: after ${signal} no call is taken, those in flight come to their ends, and the exit code is 0`, async () => {
    await using proxy = await openProxy();
    const busy = await makeBusy(proxy);
    await tellToStop(proxy, signal);
    const refused = call(proxy, busy.secret, false);
    expect((await refused.answer).status).toBe(503);
    expect(await refused.text).toContain('"code":"shutting_down"');
    expect(proxy.standIn.count).toBe(CALLS);
    expect((await fetch(`${proxy.binary.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${proxy.binary.url}/livez`)).status).toBe(200);
    busy.release();
    for (const { text } of busy.streams) expect(await text).toEndWith("data: [DONE]\n\n");
    for (const { answer } of busy.whole) expect((await answer).status).toBe(200);
    expect((await proxy.binary.ended).exitCode).toBe(0);
    const completed = { state: "posted", ending: "completed", estimated: false };
    expect(await settled(proxy, busy)).toEqual(Array(CALLS).fill(completed));
  });
}

/** What brings calls to an end that would go on: no time to drain, or being told twice. */
const HURRIES: Record<string, { flags: string[]; signals: number }> = {
  "whose time to end is over": { flags: ["--drain-timeout-s", "0"], signals: 1 },
  "when a second signal comes": { flags: [], signals: 2 },
};

for (const [when, { flags, signals }] of Object.entries(HURRIES)) {
  test(`P17: calls in flight ${when} end with an error, are charged, and the exit code is 0`, async () => {
    await using proxy = await openProxy(flags);
    const busy = await makeBusy(proxy);
    await tellToStop(proxy, "SIGTERM");
    if (signals > 1) proxy.binary.terminate();
    for (const { text } of busy.streams) {
      const events = (await text).split("\n\n").filter((event) => event.startsWith("data: "));
      expect(events).not.toContain("data: [DONE]");
      expect(events.at(-1)).toContain('"code":"shutting_down"');
    }
    for (const { answer, text } of busy.whole) {
      expect((await answer).status).toBe(503);
      expect(await text).toContain('"code":"shutting_down"');
    }
    expect((await proxy.binary.ended).exitCode).toBe(0);
    busy.release();
    const ended = { state: "posted", ending: "shutdown", estimated: true };
    expect(await settled(proxy, busy)).toEqual(Array(CALLS).fill(ended));
  });
}
