/** What wrk says of a run. */
export interface WrkResult {
  readonly callsPerS: number;
  readonly p50Ms: number;
}

const MS_PER: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 };

/** Reads the report of `wrk --latency`. @throws {Error} If calls failed, or it is no such report. */
export function parseWrk(text: string): WrkResult {
  const rate = /^Requests\/sec: +([\d.]+)$/m.exec(text)?.[1];
  const [, half, unit = ""] = /^ +50% +([\d.]+)(us|ms|s)$/m.exec(text) ?? [];
  if (/Non-2xx|Socket errors/.test(text) || rate === undefined || half === undefined)
    throw new Error(`Cannot read report of wrk:\n${text}`);
  return { callsPerS: Number(rate), p50Ms: Number(half) * (MS_PER[unit] ?? 1) };
}

/** Writes the script that makes wrk send this body. */
export function wrkScript(key: string, body: string): string {
  return [
    'wrk.method = "POST"',
    `wrk.headers["Authorization"] = "Bearer ${key}"`,
    'wrk.headers["Content-Type"] = "application/json"',
    // A string of Lua is written as one of JSON is, as long as it is ASCII.
    `wrk.body = ${JSON.stringify(body)}`,
  ].join("\n");
}
