import type { Database } from "bun:sqlite";
import type { SettledRow } from "./kill_check.ts";
import type { Proxy } from "./proxy.ts";
import { prepareSumFaults } from "./sums.ts";
import type { Arrival } from "./upstream.ts";
import type { Reported } from "./upstream_answer.ts";

/** Returns how many calls are open on disk. */
export function openRows(proxy: Pick<Proxy, "read">): number {
  return proxy.read((database) => {
    const open = database.query<{ count: number }, []>(
      "select count(*) as count from calls where state = 'pending'",
    );
    return open.get()?.count ?? 0;
  });
}

/** Says where the ledger differs from what reached the upstream, when every call was answered to its end. */
export function settledFaults(
  proxy: Pick<Proxy, "read">,
  arrivals: readonly Arrival[],
  reported: Reported,
): string[] {
  return proxy.read((database) => [
    ...chargeFaults(database, arrivals, reported),
    ...prepareSumFaults(database)(),
  ]);
}

function chargeFaults(
  database: Database,
  arrivals: readonly Arrival[],
  { input, output }: Reported,
): string[] {
  const rows = database.query<SettledRow, []>("select * from calls").all();
  const faults = rows
    .filter((row) => row.state !== "posted" || row.estimated === 1)
    .map((row) => `${row.requested_model} is ${row.state}, estimated ${row.estimated}`);
  for (const row of rows) {
    if (row.input_tokens === input && row.output_tokens === output) continue;
    faults.push(`${row.requested_model} is charged ${row.input_tokens} + ${row.output_tokens}`);
  }
  const charged = rows.map((row) => row.requested_model).sort();
  const arrived = arrivals.map(({ model }) => `openai/${model}`).sort();
  if (!Bun.deepEquals(charged, arrived))
    faults.push(`${arrived.length} calls reached the upstream, ${charged.length} are charged`);
  return faults;
}
