const MEGABYTE = 1024 * 1024;
const GIGABYTE = 1024 * MEGABYTE;

/** Writes an amount of bytes for people: `4.2 MB`, `1.5 GB`. */
export function bytesText(bytes: number): string {
  if (bytes >= GIGABYTE) return `${(bytes / GIGABYTE).toFixed(1)} GB`;
  return `${(bytes / MEGABYTE).toFixed(1)} MB`;
}
