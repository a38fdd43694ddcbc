import { describe, expect, test } from "bun:test";
import { LineBatch } from "../../src/std/line_batch.ts";

/** An output that notes what it is sent, and takes it when it is told to. */
function outputOf({ stalls = false } = {}) {
  const sent: string[] = [];
  const sentNow: string[] = [];
  const dropped: number[] = [];
  let pending = Promise.withResolvers<void>();
  const batch = new LineBatch(
    {
      send: (text) => {
        sent.push(text);
        return stalls ? pending.promise : null;
      },
      sendNow: (text) => sentNow.push(text),
    },
    (lines) => dropped.push(lines),
  );
  const take = async (error?: Error) => {
    const taken = pending;
    pending = Promise.withResolvers();
    if (error === undefined) taken.resolve();
    else taken.reject(error);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { batch, sent, sentNow, dropped, take };
}

const KILOBYTE_LINE = `${"x".repeat(1023)}\n`;

test("lines that come together are sent together, in order", async () => {
  const { batch, sent } = outputOf();
  batch.write("a\n");
  batch.write("b\n");
  expect(sent).toEqual([]);
  while (sent.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(sent).toEqual(["a\nb\n"]);
});

test("a flush sends what there is at once, and nothing if there is nothing", () => {
  const { batch, sent } = outputOf();
  batch.flush();
  batch.write("a\n");
  batch.flush();
  batch.flush();
  expect(sent).toEqual(["a\n"]);
});

test("64 KiB are sent without waiting for more", () => {
  const { batch, sent } = outputOf();
  for (let line = 0; line < 63; line += 1) batch.write(KILOBYTE_LINE);
  expect(sent).toEqual([]);
  batch.write(KILOBYTE_LINE);
  expect(sent).toEqual([KILOBYTE_LINE.repeat(64)]);
});

describe("a reader that stalls", () => {
  test("is sent nothing more until it takes what it has", async () => {
    const { batch, sent, take } = outputOf({ stalls: true });
    batch.write("a\n");
    batch.flush();
    batch.write("b\n");
    batch.flush();
    batch.write("c\n");
    expect(sent).toEqual(["a\n"]);
    await take();
    expect(sent).toEqual(["a\n", "b\nc\n"]);
  });

  test("makes lines be dropped beyond a megabyte, which is told when it reads again", async () => {
    const { batch, sent, dropped, take } = outputOf({ stalls: true });
    batch.write("first\n");
    batch.flush();
    for (let line = 0; line < 1024 + 7; line += 1) batch.write(KILOBYTE_LINE);
    expect(dropped).toEqual([]);
    await take();
    expect(sent).toEqual(["first\n", KILOBYTE_LINE.repeat(1024)]);
    expect(dropped).toEqual([7]);
    await take();
    expect(dropped).toEqual([7]);
  });

  test("and then goes away ends nothing: the next lines are sent again", async () => {
    const { batch, sent, take } = outputOf({ stalls: true });
    batch.write("a\n");
    batch.flush();
    await take(new Error("EPIPE"));
    batch.write("b\n");
    batch.flush();
    expect(sent).toEqual(["a\n", "b\n"]);
  });
});

test("at the end what is left is sent before anything else happens", () => {
  const { batch, sent, sentNow } = outputOf();
  batch.flushNow();
  batch.write("a\n");
  batch.flushNow();
  batch.flush();
  expect({ sent, sentNow }).toEqual({ sent: [], sentNow: ["a\n"] });
});
