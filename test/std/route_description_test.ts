import { expect, test } from "bun:test";
import * as v from "valibot";
import { answer, body, members, noBody } from "../../src/std/route_description.ts";

const Book = v.strictObject({ title: v.string(), pages: v.optional(v.number(), 1) });

test("a body is described member by member, with an example", () => {
  const described = body(Book, { title: "On its cover", pages: "How many" }, { title: "Emma" });
  expect(described.about).toEqual({ title: "On its cover", pages: "How many" });
  expect(described.example).toEqual({ title: "Emma" });
  expect(v.is(described.schema, { title: 7 })).toBe(false);
});

test("a schema can stand in for the one that reads a member, which stays as it is", () => {
  const titles = v.picklist(["Emma", "Persuasion"]);
  const { schema } = members(Book, { title: "", pages: "" }, { title: titles });
  expect("entries" in schema && schema.entries).toEqual({ ...Book.entries, title: titles });
  expect(v.is(Book, { title: "Dracula" })).toBe(true);
});

test("an answer has a body with an example, or none", () => {
  expect(answer("A book", Book, { title: "Emma" })).toEqual({
    about: "A book",
    schema: Book,
    example: { title: "Emma" },
  });
  expect(noBody("Gone")).toEqual({ about: "Gone", schema: null });
});
