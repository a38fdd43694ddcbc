import { describe, expect, test } from "bun:test";
import { generatedBodies } from "../../../src/tools/torture/fuzz/generated_bodies.ts";
import { isSamePassword, requestBytes } from "../../../src/tools/torture/fuzz/http_request.ts";
import { mutateBytes } from "../../../src/tools/torture/fuzz/mutate_bytes.ts";
import { mutateJson } from "../../../src/tools/torture/fuzz/mutate_json.ts";
import { recordedBodies } from "../../../src/tools/torture/fuzz/recorded_requests.ts";
import { faultOf, kindOf, type Reply } from "../../../src/tools/torture/fuzz/verdict.ts";
import { Random } from "../../../src/tools/torture/random.ts";

const REQUEST = requestBytes({
  method: "PUT",
  path: "/x",
  headers: { authorization: "Basic YTpi" },
  body: '{"n":12}',
});
const OTHER = requestBytes({ method: "GET", path: "/other", headers: {}, body: null });

function reply(status: number, body: string): Reply {
  return { status, body, end: "answered" };
}

describe("the verdict on an answer", () => {
  const OURS: [status: number, body: string][] = [
    [500, '{"error":{"message":"x","type":"t","param":null,"code":"internal_error"}}'],
    [500, ""],
    [502, '{"error":{"message":"x","code":"internal_error"}}'],
    [502, "<html>Bad Gateway</html>"],
    [503, '{"error":"x","code":"internal_error"}'],
    [504, '{"error":{"message":"x","code":"upstream_error"}}'],
    [505, "Error: at main.ts:7"],
  ];
  test.each(OURS)("calls %i %j an error of our own", (status, body) => {
    expect(faultOf(reply(status, body))).toStartWith("own error");
  });

  const WITHOUT: [status: number, body: string][] = [
    [400, '{"error":{"code":"x"}}'],
    [404, '{"error":"x"}'],
    [401, "{}"],
    [400, "[]"],
    [403, "<html>No</html>"],
  ];
  test.each(WITHOUT)("misses the code in %i %j", (status, body) => {
    expect(faultOf(reply(status, body))).toStartWith("an error without a code");
  });

  const FINE: [status: number, body: string][] = [
    [0, ""],
    [200, "anything"],
    [400, ""],
    [400, '{"error":{"message":"x","code":"invalid_model"}}'],
    [403, "Cannot show metrics\n"],
    [404, '{"error":"x","code":"unknown_url"}'],
    [502, '{"error":{"message":"x","code":"upstream_error"}}'],
    [503, '{"error":"x","code":"overloaded"}'],
    [503, '{"error":{"message":"x","code":"shutting_down"}}'],
    [504, '{"error":{"message":"x","code":"upstream_timeout"}}'],
    [505, ""],
  ];
  test.each(FINE)("has nothing to say about %i %j", (status, body) => {
    expect(faultOf(reply(status, body))).toBeNull();
  });

  test("names an answer by its status, and what is none by how it ended", () => {
    expect(kindOf(reply(200, ""))).toBe("200");
    expect(kindOf({ status: 0, body: "", end: "closed" })).toBe("closed");
  });
});

describe("what is made up", () => {
  test("is the same for the same seed, and another for another", () => {
    const [body = {}] = recordedBodies();
    const make = (seed: number) => {
      const random = new Random(seed);
      const bytes = Array.from({ length: 40 }, () => mutateBytes(REQUEST, OTHER, random));
      const bodies = Array.from({ length: 40 }, () => mutateJson(body, random));
      return [bytes, bodies, generatedBodies(seed, 40)];
    };
    expect(make(5)).toEqual(make(5));
    expect(make(5)).not.toEqual(make(6));
  });

  test("of bytes is nearly always another request, and the first is left alone", () => {
    const random = new Random(1);
    const before = Buffer.from(REQUEST);
    const made = Array.from({ length: 500 }, () => mutateBytes(REQUEST, OTHER, random));
    const others = new Set(made.map((bytes) => bytes.toString("latin1")));
    expect(others.size).toBeGreaterThan(400);
    expect(REQUEST.equals(before)).toBe(true);
  });

  test("of recorded bodies holds what JSON cannot be written with, and what it can", () => {
    const random = new Random(2);
    const bodies = recordedBodies();
    expect(bodies.length).toBeGreaterThan(100);
    const made = bodies.flatMap((body) => [mutateJson(body, random), mutateJson(body, random)]);
    for (const what of ["1e400", "NaN", "\\ud800", "__proto__", "[[[[["])
      expect(made.filter((text) => text.includes(what)).length).toBeGreaterThan(0);
    const parsed = made.filter((text) => isJson(text)).length;
    expect(parsed).toBeGreaterThan(made.length / 4);
    expect(parsed).toBeLessThan(made.length);
  });

  test("by chance is for every provider, and mostly JSON", () => {
    const made = generatedBodies(3, 300);
    for (const provider of ["openai", "anthropic", "mistral", "azure_openai", "groq"])
      expect(made.filter((text) => text.includes(`"${provider}/`)).length).toBeGreaterThan(0);
    expect(made.filter((text) => isJson(text)).length).toBeGreaterThan(100);
  });

  test("tells requests apart that present other passwords", () => {
    expect(isSamePassword(REQUEST, Buffer.from(REQUEST))).toBe(true);
    expect(isSamePassword(REQUEST, OTHER)).toBe(false);
    const wrong = Buffer.from(REQUEST.toString("latin1").replace("YTpi", "YTpj"), "latin1");
    expect(isSamePassword(REQUEST, wrong)).toBe(false);
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
