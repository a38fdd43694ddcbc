import { expect, test } from "bun:test";
import { facts, table } from "../../src/cli/table.ts";

const COLUMNS = [
  { title: "NAME", cell: (row: { name: string; count: number }) => row.name },
  {
    title: "COUNT",
    cell: (row: { name: string; count: number }) => String(row.count),
    right: true,
  },
] as const;

test("columns are as wide as what is in them, numbers flush right", () => {
  const rows = [
    { name: "a long name", count: 5 },
    { name: "b", count: 1_000_000 },
  ];
  expect(table(COLUMNS, rows, "none").split("\n")).toEqual([
    "NAME           COUNT",
    "a long name        5",
    "b            1000000",
  ]);
});

test("no rows are told in words", () => {
  expect(table(COLUMNS, [], "There are none.")).toBe("There are none.");
});

test("facts stand under each other", () => {
  expect(
    facts([
      ["a", "1"],
      ["longer", "2"],
      ["empty", ""],
    ]),
  ).toBe("a       1\nlonger  2\nempty");
});
