const PATTERN =
  /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(\.\d{1,9})?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Writes a time in milliseconds since the Unix epoch as UTC in whole seconds: `2026-06-01T00:00:00Z`. */
export function formatRfc3339(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}

/** Returns the time in milliseconds since the Unix epoch, or null if the text is no RFC 3339 time. */
export function parseRfc3339(text: string): number | null {
  const match = PATTERN.exec(text);
  if (match === null) return null;
  const [, date = "", time = "", fraction = "", offset = ""] = match;
  const localMs = Date.parse(`${date}T${time}Z`);
  // The platform rolls 30 February over into March; a real time reads back as it was written.
  if (Number.isNaN(localMs) || formatRfc3339(localMs) !== `${date}T${time}Z`) return null;
  const fractionMs = Math.floor(Number(`0${fraction}`) * 1000);
  return localMs + fractionMs - offsetMs(offset.toUpperCase());
}

function offsetMs(offset: string): number {
  if (offset === "Z") return 0;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6));
  return (offset.startsWith("-") ? -1 : 1) * minutes * 60_000;
}
