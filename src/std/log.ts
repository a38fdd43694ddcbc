export type Level = "debug" | "info" | "warn" | "error";

/** A flat record: what may stand in a line is named by the caller, field by field. */
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

export interface LogOptions {
  /** Lines below this level are not written. */
  readonly level: Level;
  /** Whether to write for people instead of machines. */
  readonly human: boolean;
  /** Returns the time of a line, in milliseconds since the Unix epoch. */
  readonly nowMs: () => number;
  /** Takes one line, its end included. */
  readonly write: (line: string) => void;
}

/** Creates a log. Control characters never reach the line, so one message is always one line. */
export function createLog(options: LogOptions): Log {
  const at =
    (level: Level) =>
    (message: string, fields: Fields = {}) => {
      if (LEVELS.indexOf(level) < LEVELS.indexOf(options.level)) return;
      const time = new Date(options.nowMs()).toISOString();
      options.write(
        options.human
          ? humanLine(time, level, message, fields)
          : jsonLine(time, level, message, fields),
      );
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function jsonLine(time: string, level: Level, message: string, fields: Fields): string {
  const record: Record<string, unknown> = { ts: time, level, msg: clip(message) };
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) record[name] = typeof value === "string" ? clip(value) : value;
  }
  return `${jsonText(record)}\n`;
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
function jsonText(value: unknown): string {
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
