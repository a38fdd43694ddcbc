/** Returns a new UUIDv7: ids in order of time, unique also within a millisecond. */
export function uuid7(timeMs: number): string {
  return Bun.randomUUIDv7("hex", timeMs);
}

/** Returns the text that every UUIDv7 of this time or later sorts at or behind. */
export function uuid7From(timeMs: number): string {
  const hex = Math.max(0, timeMs).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** Returns the time at which a UUIDv7 begins; of any other UUID a number that says nothing. */
export function uuid7TimeMs(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
