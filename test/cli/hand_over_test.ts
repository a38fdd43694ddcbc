import { expect, test } from "bun:test";
import { Writable } from "node:stream";
import { handOver } from "../../src/cli/hand_over.ts";

test("the end waits for a reader that takes its time", async () => {
  const waiting: (() => void)[] = [];
  const taken: string[] = [];
  const slow = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      waiting.push(() => {
        taken.push(chunk.toString());
        done();
      });
    },
  });
  slow.write("first");
  slow.write("second");

  let isOver = false;
  const over = handOver(slow).then(() => (isOver = true));
  while (taken.length < 2) {
    await Promise.resolve();
    expect(isOver).toBe(false);
    waiting.shift()?.();
  }
  await over;
  expect(taken).toEqual(["first", "second"]);
});

test("a reader that has gone is not waited for", async () => {
  const gone = new Writable({ write: (_chunk, _encoding, done) => done(new Error("EPIPE")) });
  gone.on("error", () => {});
  gone.write("lost");
  await handOver(gone);
  expect(gone.errored?.message).toBe("EPIPE");
});
