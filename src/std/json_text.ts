/** Where a member stands in the text of a JSON object: its name at `name`, its value from `start` to `end`. */
export interface Span {
  readonly name: number;
  readonly start: number;
  readonly end: number;
}

/** A JSON text that is not taken, though it may be valid: nested too deep, too wide, or with a member named twice. */
export class JsonTextError extends SyntaxError {}

/** Bounds nesting: writing a deeply nested value again blocks the event loop for a long time. */
export const MAX_JSON_DEPTH = 100;

/** Bounds how much there is to parse: a body of one-digit numbers blocks the event loop for seconds. */
export const MAX_JSON_VALUES = 500_000;

/** Members are bounded closer: each new name costs as much as fifty numbers. */
export const MAX_JSON_MEMBERS = 100_000;

/**
 * Refuses a text that would take too long to parse. It takes any text, JSON or not; how long its strings
 * are does not matter.
 *
 * @throws {JsonTextError} If it holds more values, or more members of objects, than allowed.
 */
export function refuseTooMany(
  text: string,
  { valuesMax, membersMax } = { valuesMax: MAX_JSON_VALUES, membersMax: MAX_JSON_MEMBERS },
): void {
  // A shorter text cannot hold so many, and nearly all are shorter.
  if (text.length < valuesMax && text.length < membersMax * MEMBER_CHARS_MIN) return;
  let values = 0;
  let members = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = skipString(text, at);
      if (end <= at) return; // No JSON: the string does not end.
      at = end - 1;
    } else if (code === COMMA || code === OPEN_BRACKET || code === OPEN_BRACE) {
      values += 1;
    } else if (code === COLON) {
      members += 1;
    }
    if (values > valuesMax)
      throw new JsonTextError(`Cannot read JSON: more than ${valuesMax} values`);
    if (members > membersMax)
      throw new JsonTextError(`Cannot read JSON: more than ${membersMax} members of objects`);
  }
}

/** `"":1` and what separates it from the next. */
const MEMBER_CHARS_MIN = 5;

/**
 * Finds the values of an object's own members, so that some can be replaced and every other byte kept.
 *
 * @param text One JSON object. It must have passed `JSON.parse`; its syntax is not checked again.
 * @throws {JsonTextError} If a member is named twice (readers disagree which one counts), or if
 *   values nest deeper than `depthMax`.
 */
export function scanObject(text: string, depthMax = MAX_JSON_DEPTH): Map<string, Span> {
  const members = new Map<string, Span>();
  let at = skipSpace(text, 0) + 1; // Past the opening brace.
  for (;;) {
    at = skipSpace(text, at);
    if (text.charCodeAt(at) !== QUOTE) return members; // Only an empty object gets here.
    const nameEnd = skipString(text, at);
    const name = unquote(text.slice(at, nameEnd));
    if (members.has(name)) throw new JsonTextError(`Cannot read object: "${name}" is given twice`);
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = skipValue(text, start, depthMax);
    members.set(name, { name: at, start, end });
    at = skipSpace(text, end);
    if (text.charCodeAt(at) === CLOSE_BRACE) return members;
    at += 1; // The comma.
  }
}

/**
 * Returns the text with members set, added or (for `undefined`) left out; every other byte stays.
 *
 * @param members What `scanObject` found in this text.
 * @param values Per member name the JSON text of its new value.
 */
export function editObject(
  text: string,
  members: ReadonlyMap<string, Span>,
  values: Readonly<Record<string, string | undefined>>,
): string {
  let edited = "";
  let copied = 0;
  let keptEnd = -1; // Where the member kept last ends; -1 while none is kept.
  for (const [name, span] of members) {
    const changed = Object.hasOwn(values, name);
    if (changed && values[name] === undefined) {
      // A member takes the comma before it along; at the head, the next one kept is moved up.
      if (keptEnd !== -1) edited += text.slice(copied, keptEnd);
      else if (copied === 0) edited = text.slice(0, span.name);
      copied = keptEnd === -1 ? span.end : Math.max(span.end, copied);
      if (keptEnd !== -1) keptEnd = span.end;
      continue;
    }
    if (keptEnd === -1 && copied > 0) copied = span.name;
    if (changed) {
      edited += text.slice(copied, span.start) + values[name];
      copied = span.end;
    }
    keptEnd = span.end;
  }
  const close = text.lastIndexOf("}");
  let tail = "";
  for (const name in values) {
    const value = values[name];
    if (!value || members.has(name)) continue;
    tail += `${tail === "" ? "" : ","}${JSON.stringify(name)}:${value}`;
  }
  const comma = keptEnd !== -1 && tail !== "" ? "," : "";
  if (keptEnd === -1 && members.size > 0) copied = close;
  return `${edited}${text.slice(copied, close)}${comma}${tail}${text.slice(close)}`;
}

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const COMMA = 44;
const COLON = 58;

function unquote(quoted: string): string {
  return quoted.includes("\\") ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
}

function skipSpace(text: string, at: number): number {
  while (text.charCodeAt(at) <= 32) at += 1;
  return at;
}

function skipString(text: string, at: number): number {
  let end = text.indexOf('"', at + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end + 1;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}

function skipValue(text: string, at: number, depthMax: number): number {
  let depth = 0;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = skipString(text, at);
      if (depth === 0) return at;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      depth += 1;
      if (depth > depthMax) {
        throw new JsonTextError(`Cannot read object: values nest deeper than ${depthMax}`);
      }
      at += 1;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      if (depth === 0) return trimEnd(text, at);
      depth -= 1;
      at += 1;
      if (depth === 0) return at;
    } else if (code === COMMA && depth === 0) {
      return trimEnd(text, at);
    } else {
      at += 1;
    }
  }
}

function trimEnd(text: string, end: number): number {
  while (text.charCodeAt(end - 1) <= 32) end -= 1;
  return end;
}
