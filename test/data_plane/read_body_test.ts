import { expect, test } from "bun:test";
import { readBody } from "../../src/data_plane/read_body.ts";
import { Slots } from "../../src/data_plane/slots.ts";
import { ProxyError } from "../../src/domain/errors.ts";

const LIMITS = { concurrency: 9, keyConcurrency: 9, bodyMemoryBytes: 2000, bodyBytesMax: 1e9 };

/** Reads a body. Returns its text or the code of what refuses it, and how long it was given. */
async function read(
  body: string | ReadableStream,
  headers: Record<string, string> = {},
  bytesMax = 1000,
) {
  const slots = new Slots({ ...LIMITS, bodyBytesMax: bytesMax }, () => false);
  const slot = slots.take({ id: "key", organizationId: "organization" });
  const given: number[] = [];
  const request = new Request("http://x/", { method: "POST", body, headers });
  const source = { request, idleTimeout: (seconds: number) => void given.push(seconds) };
  const text = await readBody(source, { bytesMax, slot }).catch((error: unknown) => {
    if (error instanceof ProxyError) return error.code;
    throw error;
  });
  return { text, given, heldBytes: slots.bodyBytes };
}

const TIMES: readonly (readonly [what: string, declared: string | null, seconds: number])[] = [
  ["of unknown length", null, 10],
  ["of nothing", "0", 10],
  ["of a byte", "1", 11],
  ["of 32 KiB", "32768", 11],
  ["of 1 MiB", "1048576", 42],
  ["of 100 MiB", "104857600", 255],
];

test.each(TIMES)("a body %s is given its own time", async (_, declared, seconds) => {
  const headers = declared === null ? {} : { "content-length": declared };
  expect((await read("x", headers, 1e9)).given).toEqual([seconds]);
});

test.each(["5, 5", "-5", "5.0", "0x5", "1e1", "", "99999999999999999999"])(
  "a body whose length is declared as %j is not read",
  async (length) => {
    const { text, given, heldBytes } = await read("hello", { "content-length": length });
    expect(["invalid_model", "request_too_large"]).toContain(text);
    expect(given).toEqual([]);
    expect(heldBytes).toBe(0);
  },
);

test("what is declared counts as memory, and of chunks what has arrived", async () => {
  expect(await read("hello", { "content-length": "5" })).toMatchObject({
    text: "hello",
    heldBytes: 5,
  });
  const chunks = new ReadableStream({
    start(controller) {
      for (const text of ["hel", "lo"]) controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  });
  expect(await read(chunks)).toMatchObject({ text: "hello", heldBytes: 5 });
});

test("chunks are read until they are too many", async () => {
  let pulled = 0;
  const endless = new ReadableStream({
    pull(controller) {
      pulled += 1;
      controller.enqueue(new Uint8Array(300));
    },
  });
  expect((await read(endless)).text).toBe("request_too_large");
  expect(pulled).toBeLessThan(10);
});
