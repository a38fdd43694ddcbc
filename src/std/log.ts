export type Level = "debug" | "info" | "warn" | "error";

/** A flat record: what may stand in a line is named by the caller, field by field, in plain words. */
export type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Writes one line per message to standard error: JSON, or for people when it is a terminal. */
export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

const LEVELS: readonly Level[] = ["debug", "info", "warn", "error"];

/** Bounds one value in a line, in characters. */
const MAX_VALUE_CHARS = 2000;

/** What journald calls the levels, written before a line. */
const JOURNAL_PREFIXES: Readonly<Record<Level, string>> = {
  debug: "<7>",
  info: "<6>",
  warn: "<4>",
  error: "<3>",
};

export interface LogOptions {
  /** Lines below this level are not written. */
  readonly level: Level;
  /** Whether to write for people instead of machines. */
  readonly human: boolean;
  /** Whether journald reads the lines: then each begins with its priority. */
  readonly journal?: boolean;
  /** Returns the time of a line, in milliseconds since the Unix epoch. */
  readonly nowMs: () => number;
  /** Takes one line, its end included. */
  readonly write: (line: string, level: Level) => void;
}

/** Creates a log. Control characters never reach the line, so one message is always one line. */
export function createLog(options: LogOptions): Log {
  const { human, journal = false, nowMs, write } = options;
  const least = LEVELS.indexOf(options.level);
  const timeText = rememberedTime();
  const at = (level: Level) => {
    const prefix = journal ? JOURNAL_PREFIXES[level] : "";
    if (LEVELS.indexOf(level) < least) return () => {};
    return (message: string, fields: Fields = {}) => {
      const time = timeText(nowMs());
      const line = human
        ? humanLine(time, level, message, fields)
        : jsonLine(time, level, message, fields);
      write(prefix + line, level);
    };
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** Returns what writes a time; many lines share a millisecond. */
function rememberedTime(): (ms: number) => string {
  let lastMs = Number.NaN;
  let text = "";
  return (ms) => {
    if (ms === lastMs) return text;
    lastMs = ms;
    text = new Date(ms).toISOString();
    return text;
  };
}

/** A line is written for every call, and most are short: what is long is looked at once more. */
function jsonLine(time: string, level: Level, message: string, fields: Fields): string {
  let text = jsonText(fields);
  if (text.length > MAX_VALUE_CHARS) text = jsonText(clipAll(fields));
  const rest = text === "{}" ? text.slice(1) : `,${text.slice(1)}`;
  return `{"ts":"${time}","level":"${level}","msg":${jsonText(clip(message))}${rest}\n`;
}

function humanLine(time: string, level: Level, message: string, fields: Fields): string {
  const rest = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${typeof value === "string" ? quoted(value) : value}`);
  return `${time.slice(11, 19)} ${level.padEnd(5)} ${printable(clip(message))}${rest.join("")}\n`;
}

function quoted(value: string): string {
  const clipped = clip(value);
  return /^[\w./:@+-]+$/.test(clipped) ? clipped : jsonText(clipped);
}

/** Writes JSON without the control characters and line ends that JSON itself allows inside strings. */
function jsonText(value: string | Fields): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, " ");
}

function clip(text: string): string {
  return text.length <= MAX_VALUE_CHARS ? text : `${text.slice(0, MAX_VALUE_CHARS)}...`;
}

function clipAll(fields: Fields): Fields {
  const clipped = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === "string" ? clip(value) : value,
  ]);
  return Object.fromEntries(clipped) as Fields;
}
