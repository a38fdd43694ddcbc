import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { openProxy } from "../support/proxy.ts";

setDefaultTimeout(30_000);

/** More than twice what the runtime sends at a time unless the program sees to it. */
const STREAMS = 600;

test(`${STREAMS} streams at a time all get their first word before the first one ends`, async () => {
  await using proxy = await openProxy();
  await proxy.configure();
  const { secret } = await proxy.createKey();
  const everyoneHeard = Promise.withResolvers<void>();
  for (let index = 0; index < STREAMS; index += 1) {
    proxy.standIn.next({ pieces: heldOpen(everyoneHeard.promise) });
  }
  // The test's own fetch would not send so many at a time.
  const agent = new Agent({ keepAlive: false, maxSockets: STREAMS });
  const streams = Array.from({ length: STREAMS }, () =>
    openStream(`${proxy.baseUrl}/chat/completions`, secret, agent),
  );
  await Promise.all(streams.map((stream) => stream.firstWord));
  expect(proxy.standIn.count).toBe(STREAMS);
  const memoryMb = Math.round(memoryKb(proxy.binary.pid) / 1024);
  console.log(`${STREAMS} streams open: ${memoryMb} MB resident`);
  everyoneHeard.resolve();
  const texts = await Promise.all(streams.map((stream) => stream.text));
  for (const text of texts) {
    expect(text).toContain('"content":"first"');
    expect(text).toContain('"finish_reason":"stop"');
    expect(text).toEndWith("data: [DONE]\n\n");
  }
  const [row] = await proxy.usage();
  expect(row?.calls).toBe(STREAMS);
});

async function* heldOpen(until: Promise<void>) {
  yield chunk({ delta: { content: "first" } });
  await until;
  yield chunk({ delta: {}, finish_reason: "stop" });
  yield "data: [DONE]\n\n";
}

function chunk(choice: object): string {
  return `data: ${JSON.stringify({ choices: [{ index: 0, ...choice }] })}\n\n`;
}

function openStream(url: string, secret: string, agent: Agent) {
  const firstWord = Promise.withResolvers<void>();
  const text = new Promise<string>((resolve, reject) => {
    const headers = { authorization: `Bearer ${secret}` };
    const outgoing = request(url, { method: "POST", headers, agent }, (response) => {
      let received = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => {
        received += piece;
        if (received.includes('"first"')) firstWord.resolve();
      });
      response.on("end", () => resolve(received));
      response.on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.end(
      JSON.stringify({
        model: "openai/gpt-4o-mini",
        stream: true,
        messages: [{ role: "user", content: "hi" }],
      }),
    );
  });
  text.catch(firstWord.reject);
  return { firstWord: firstWord.promise, text };
}

/** Returns the resident memory of a process. */
function memoryKb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}
