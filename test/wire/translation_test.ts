import { expect, test } from "bun:test";
import { UpstreamFault } from "../../src/wire/translation.ts";

test("a fault of which nothing more is known says so", () => {
  const fault = new UpstreamFault("Cannot read answer: it has no result");
  expect(fault).toBeInstanceOf(Error);
  expect(fault.message).toBe("Cannot read answer: it has no result");
  expect(fault).toMatchObject({
    status: null,
    type: null,
    code: null,
    body: null,
    interrupted: false,
  });
});

test("a fault carries what the provider said", () => {
  const said = {
    status: 529,
    type: "overloaded_error",
    code: "busy",
    body: { a: 1 },
    interrupted: true,
  };
  expect(new UpstreamFault("Overloaded", said)).toMatchObject(said);
});
