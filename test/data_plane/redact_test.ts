import { describe, expect, test } from "bun:test";
import { Redactor } from "../../src/data_plane/redact.ts";

const KEY = "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6";

describe("Redactor", () => {
  const redactor = new Redactor(KEY);

  test.each([
    ["the key alone", KEY, "[redacted]"],
    ["the key twice", `${KEY} ${KEY}`, "[redacted] [redacted]"],
    ["its beginning", `key ${KEY.slice(0, 12)}...`, "key [redacted]..."],
    ["its end", `key ...${KEY.slice(-8)}`, "key ...[redacted]"],
    ["a cut key", `key ${KEY.slice(0, 25)}`, "key [redacted]"],
    ["the rest of a key", `${KEY.slice(5)} is wrong`, "[redacted] is wrong"],
    ["both ends", `${KEY.slice(0, 12)}***${KEY.slice(-8)}`, "[redacted]***[redacted]"],
    ["less than its beginning", KEY.slice(0, 11), KEY.slice(0, 11)],
    ["less than its end", KEY.slice(-7), KEY.slice(-7)],
    ["no key", "The model is busy", "The model is busy"],
    ["nothing", "", ""],
  ])("%s", (_, text, clean) => {
    expect(redactor.text(text)).toBe(clean);
  });

  test.each([
    "sk-proj-abcdef123456",
    "gsk_abcdef123456",
    "fdb-inf-abcdef123456",
    "sk-ant-****wxyz",
  ])("what looks like a key of somebody else: %s", (other) => {
    expect(redactor.text(`Bad key ${other}, sorry`)).toBe("Bad key [redacted], sorry");
  });

  test.each(["org-AbCdEfGhIjKlMnOpQrStUvWx", "proj_AbCdEfGhIjKlMnOp"])(
    "what a provider calls its customer: %s",
    (id) => {
      expect(redactor.text(`Limit of ${id} reached`)).toBe("Limit of [redacted] reached");
      expect(redactor.text("Ask for an org-wide or a proj_wide limit")).toContain("org-wide");
    },
  );

  test("the host that an organization chose, with or without its port", () => {
    const gateway = new Redactor(KEY, "gateway.internal:8443");
    expect(gateway.text("Cannot reach gateway.internal:8443")).toBe("Cannot reach [redacted]");
    expect(gateway.text("See https://gateway.internal/help")).toBe("See https://[redacted]/help");
    expect(redactor.text("See https://gateway.internal/help")).toContain("gateway.internal");
    const bare = new Redactor(KEY, "gateway:8443");
    expect(bare.text("Bad gateway at gateway:8443")).toBe("Bad gateway at [redacted]");
  });

  test("a short key is known whole only", () => {
    const short = new Redactor("password");
    expect(short.text("password and pass")).toBe("[redacted] and pass");
  });

  test("a long text is shortened, and never in the middle of a key", () => {
    const clean = redactor.text(`${"x".repeat(2048 - 16)}${KEY}`);
    expect(clean).toBe(`${"x".repeat(2048 - 16)}[redacted]`);
    expect(redactor.text("x".repeat(5000))).toHaveLength(2048);
  });

  test("every text in a value, names included; other values stay", () => {
    const value = { [KEY]: [KEY, 1, true, null, { deep: `<${KEY}>` }], n: 1.5 };
    expect(redactor.value(value)).toEqual({
      "[redacted]": ["[redacted]", 1, true, null, { deep: "<[redacted]>" }],
      n: 1.5,
    });
    expect(redactor.value(null)).toBeNull();
    expect(redactor.value(KEY)).toBe("[redacted]");
  });

  test("an endless value is looked at in part, and the rest is left out", () => {
    const clean = redactor.value(Array.from({ length: 5000 }, () => KEY));
    expect(JSON.stringify(clean)).not.toContain(KEY.slice(0, 12));
  });
});
