import { isJsonObject, type Json, type JsonObject } from "../../../std/json.ts";
import type { Random } from "../random.ts";
import { deepText, ODD_NAMES, ODD_NUMBERS, ODD_STRINGS, ODD_VALUES, wideText } from "./odd_json.ts";

/** Stands for a text that is not written as JSON would be; no request holds it. */
const PLACE = "\u0001place\u0001";
const WRITTEN = JSON.stringify(PLACE);

/** A value inside a body, and what it is in. */
interface Place {
  readonly parent: JsonObject | Json[];
  readonly name: string;
}

/** Returns the text of a body that was changed in one to three places. */
export function mutateJson(body: JsonObject, random: Random): string {
  const changed = structuredClone(body);
  const texts: string[] = [];
  for (let changes = random.between(1, 3); changes > 0; changes -= 1) {
    const places = placesIn(changed);
    if (places.length > 0) change(random.pick(places), random, texts);
  }
  let text = JSON.stringify(changed);
  for (const odd of texts) text = text.replace(WRITTEN, () => odd);
  return random.chance(0.05) ? twice(text, random) : text;
}

function placesIn(value: Json, found: Place[] = []): Place[] {
  if (typeof value !== "object" || value === null) return found;
  for (const [name, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    found.push({ parent: value, name });
    placesIn(inner, found);
  }
  return found;
}

function change({ parent, name }: Place, random: Random, texts: string[]): void {
  const value = read(parent, name);
  const odd = () => {
    texts.push(oddText(random));
    return PLACE;
  };
  switch (
    random.weighted({ replace: 8, remove: 2, wrap: 2, rename: 2, add: 2, repeat: 1, take: 1 })
  ) {
    case "replace":
      return write(parent, name, odd());
    case "remove":
      return remove(parent, name);
    case "wrap":
      return write(parent, name, random.chance(0.5) ? [value] : { [name]: value });
    case "rename":
      remove(parent, name);
      return write(parent, random.pick(ODD_NAMES), value);
    case "add":
      return write(parent, random.pick(ODD_NAMES), odd());
    case "repeat":
      return write(parent, name, Array<Json>(random.between(2, 300)).fill(value));
    case "take": {
      const inner = typeof value === "object" && value !== null ? Object.values(value)[0] : null;
      return write(parent, name, inner ?? null);
    }
  }
}

function oddText(random: Random): string {
  switch (random.weighted({ value: 5, number: 4, string: 4, deep: 1, wide: 1 })) {
    case "value":
      return random.pick(ODD_VALUES);
    case "number":
      return random.pick(ODD_NUMBERS);
    case "string":
      return random.pick(ODD_STRINGS);
    case "deep":
      return deepText(random.between(2, 5000), random.chance(0.5));
    case "wide":
      return wideText(random.between(2, 5000), random.chance(0.5));
  }
}

/** Names a member of the body a second time. */
function twice(text: string, random: Random): string {
  const name = random.pick(["model", "messages", "stream", "input", "max_tokens", "n"]);
  return text.replace(/\}$/, `,"${name}":${random.pick([...ODD_VALUES, ...ODD_NUMBERS])}}`);
}

function read(parent: JsonObject | Json[], name: string): Json {
  return (Array.isArray(parent) ? parent[Number(name)] : parent[name]) ?? null;
}

function write(parent: JsonObject | Json[], name: string, value: Json): void {
  if (Array.isArray(parent))
    parent[Number.isNaN(Number(name)) ? parent.length : Number(name)] = value;
  // An assignment to __proto__ would make no member.
  else
    Object.defineProperty(parent, name, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
}

function remove(parent: JsonObject | Json[], name: string): void {
  if (isJsonObject(parent)) delete parent[name];
  else parent.splice(Number(name), 1);
}
