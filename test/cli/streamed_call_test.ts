import { afterAll, expect, test } from "bun:test";
import { curlLine, streamedCall } from "../../src/cli/streamed_call.ts";
import { startStandIn } from "../../src/stand_in/stand_in.ts";

const standIn = startStandIn();
afterAll(() => standIn.stop());
const CALL = {
  url: standIn.baseUrls.openai,
  inferenceKey: "fdb-inf-x",
  model: "gpt-4o",
  content: "hi",
};

test("the text of a streamed answer comes piece by piece", async () => {
  const texts = await Array.fromAsync(streamedCall(CALL));
  expect(texts.length).toBeGreaterThan(5);
  expect(texts.join("")).toContain('You wrote: "hi"');
  expect(standIn.requests.at(-1)?.headers.authorization).toBe("Bearer fdb-inf-x");
});

test("an error before or in the stream is thrown with what it says", async () => {
  standIn.next({ status: 503 });
  await expect(Array.fromAsync(streamedCall(CALL))).rejects.toThrow("Cannot call gpt-4o: 503");
  standIn.next({ pieces: ['data: {"error":{"message":"too much"}}\n\n'] });
  await expect(Array.fromAsync(streamedCall(CALL))).rejects.toThrow("too much");
});

test("the line for a shell makes the same call", async () => {
  const line = curlLine(CALL);
  expect(line).toStartWith(`curl -N ${standIn.baseUrls.openai}/chat/completions`);
  const body: unknown = JSON.parse(/-d '(.*)'$/.exec(line)?.[1] ?? "");
  expect(body).toMatchObject({ model: "gpt-4o", stream: true });
});
