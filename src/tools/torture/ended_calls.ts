import { openRows } from "./disk_check.ts";
import { heldFaults } from "./held.ts";
import type { CreatedKey, Proxy } from "./proxy.ts";
import type { RawUpstream } from "./raw_upstream.ts";
import { prepareSumFaults } from "./sums.ts";
import { waitUntil } from "./wait_until.ts";

/** How calls of one name ended, as the ledger has it. */
export interface EndedCalls {
  /** The model asked for, without its provider. */
  readonly name: string;
  readonly calls: number;
  /** Those that were charged as the provider reported. */
  readonly exact: number;
  readonly estimated: number;
  readonly voided: number;
  /** Those whose client went away. */
  readonly clientClosed: number;
}

/** Waits until all calls have ended: none is open in the ledger, and no connection to the provider. */
export async function waitUntilEnded(
  proxy: Proxy,
  upstream: RawUpstream,
  limitMs: number,
): Promise<void> {
  await waitUntil("all calls are settled", () => openRows(proxy) === 0, limitMs);
  await waitUntil("no connection to the provider is open", () => upstream.open === 0, limitMs);
}

/** Returns how calls ended, for each name. */
export function endedCalls(proxy: Proxy): EndedCalls[] {
  return proxy.read((database) =>
    database
      .query<EndedCalls, []>(
        `select substr(requested_model, instr(requested_model, '/') + 1) as name, count(*) as calls,
          sum(state = 'posted' and not estimated) as exact, sum(state = 'posted' and estimated) as estimated,
          sum(state = 'voided') as voided, sum(ending = 'client_closed') as clientClosed
        from calls group by 1 order by 1`,
      )
      .all(),
  );
}

/**
 * Says what is wrong when all calls have ended: the provider was asked by a call that the ledger does not have, or
 * has twice; sums are not those of the calls; a key has something held; the log holds errors; the process has ended.
 *
 * @param onTheWay Whether a call may be in the ledger that never reached the provider: its client went away before.
 */
export async function endedFaults(
  proxy: Proxy,
  keys: readonly CreatedKey[],
  upstream: RawUpstream,
  onTheWay: boolean,
): Promise<string[]> {
  const rows = new Map(endedCalls(proxy).map(({ name, calls }) => [name, calls]));
  const arrived = new Map<string, number>();
  for (const name of upstream.arrivals) arrived.set(name, (arrived.get(name) ?? 0) + 1);
  const faults = [...arrived].flatMap(([name, count]) => {
    const kept = rows.get(name) ?? 0;
    if (kept === count || (onTheWay && kept > count)) return [];
    return [`${count} calls ${name} reached the provider, ${kept} are in the ledger`];
  });
  const held = await Promise.all(keys.map((key) => heldFaults(proxy, key)));
  const sums = proxy.read((database) => prepareSumFaults(database)());
  const ended = proxy.runs ? [] : ["the process has ended"];
  return [...ended, ...faults, ...sums, ...held.flat(), ...proxy.errors];
}
