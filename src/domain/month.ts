/** A UTC month as the number YYYYMM, such as 202611. Calls belong to the month of their admission. */
export type Month = number;

/** Returns the month of a time in milliseconds since the Unix epoch. */
export function monthOf(timeMs: number): Month {
  const date = new Date(timeMs);
  return date.getUTCFullYear() * 100 + date.getUTCMonth() + 1;
}

/** Returns when a month begins, in milliseconds since the Unix epoch. */
export function monthStartMs(month: Month): number {
  return Date.UTC(Math.floor(month / 100), (month % 100) - 1, 1);
}

/** Returns when the month after this one begins, in milliseconds since the Unix epoch. */
export function nextMonthStartMs(month: Month): number {
  return Date.UTC(Math.floor(month / 100), month % 100, 1);
}
