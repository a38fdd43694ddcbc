import type { CommandLine } from "../std/flags.ts";
import type { Json } from "../std/json.ts";
import { JSON_FLAG } from "./command.ts";

/** Prints data: as JSON if the command line asks for it, else as text for people. */
export function print({ flags }: Pick<CommandLine, "flags">, data: Json, text: () => string): void {
  console.log(flags.has(JSON_FLAG.name) ? JSON.stringify(data) : text());
}

/** Writes a member of an answer for people; what is absent is a dash. */
export function shown(value: Json | undefined): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "string" || typeof value === "number" ? String(value) : "-";
}
