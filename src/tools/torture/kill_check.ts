import type { HoldState } from "../../domain/hold.ts";
import type { Seen } from "./client.ts";
import { kindOf, reportedFor } from "./kill_load.ts";
import type { Arrival } from "./upstream.ts";

/** A row of `calls` as far as it is checked here. */
export interface SettledRow {
  readonly requested_model: string;
  readonly state: HoldState;
  readonly estimated: 0 | 1;
  /** Null if no answer arrived. */
  readonly upstream_status: number | null;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_microcents: number;
}

/** What came of the calls of some rounds. */
export interface Tally {
  /** Calls that reached the upstream. */
  arrived: number;
  rows: number;
  /** Charged by what the upstream reported. */
  exact: number;
  /** Charged by an estimate while the process lived: hang-ups, cuts, answers without usage. */
  estimated: number;
  /** Charged by an estimate after a kill. */
  expired: number;
  voided: number;
  /** Held, but killed or hung up before anything was sent. */
  unsent: number;
  /** Of those, charged by an estimate while the process lived: a hang-up on the way to the upstream. */
  unsentCharged: number;
  /** Whole answers whose settlement a kill was quicker than: charged by an estimate. */
  deliveredAndEstimated: number;
}

/** Returns a tally of nothing. */
export function emptyTally(): Tally {
  return {
    arrived: 0,
    rows: 0,
    exact: 0,
    estimated: 0,
    expired: 0,
    voided: 0,
    unsent: 0,
    unsentCharged: 0,
    deliveredAndEstimated: 0,
  };
}

/** What is known of a round after its end: what the upstream, the clients and the ledger say. */
export interface Round {
  readonly arrivals: readonly Arrival[];
  readonly seen: readonly Seen[];
  readonly rows: readonly SettledRow[];
}

/** Says where the ledger differs from what happened, and counts what did. */
export function roundFaults({ arrivals, seen, rows }: Round, tally: Tally): string[] {
  const faults: string[] = [];
  const byModel = new Map<string, SettledRow>();
  for (const row of rows) {
    const model = row.requested_model.replace("openai/", "");
    if (byModel.has(model)) faults.push(`call ${model} is in the ledger twice`);
    byModel.set(model, row);
  }
  const arrived = new Set<string>();
  for (const { model } of arrivals) {
    if (arrived.has(model)) faults.push(`call ${model} reached the upstream twice`);
    arrived.add(model);
    if (!byModel.has(model)) faults.push(`call ${model} reached the upstream and is in no ledger`);
  }
  const complete = new Set(seen.filter((one) => one.complete).map((one) => one.model));
  for (const model of complete) {
    if (!arrived.has(model)) faults.push(`call ${model} was answered by nobody`);
  }
  for (const [model, row] of byModel) {
    const facts = { arrived: arrived.has(model), complete: complete.has(model) };
    faults.push(...rowFaults(model, row, facts));
    count(model, row, facts, tally);
  }
  tally.arrived += arrived.size;
  return faults;
}

interface Facts {
  readonly arrived: boolean;
  readonly complete: boolean;
}

function rowFaults(model: string, row: SettledRow, { arrived, complete }: Facts): string[] {
  const kind = kindOf(model);
  const tokens = `${row.input_tokens} + ${row.output_tokens}`;
  const { input, output } = reportedFor(model);
  const refused = kind.startsWith("error");
  const charged = row.input_tokens > 0 && row.cost_microcents > 0;
  switch (row.state) {
    case "pending":
      return [`call ${model} is still open`];
    case "voided":
      return refused || !arrived ? [] : [`call ${model} reached the upstream and was voided`];
    case "expired":
      return charged ? [] : [`call ${model} was expired at nothing`];
    case "posted":
      // Where the connection breaks before the refusal is read, nobody knows what was generated.
      if (refused && arrived && (row.estimated === 0 || row.upstream_status !== null))
        return [`call ${model} was refused with ${row.upstream_status} and is charged`];
      if (row.estimated === 1) {
        if (!charged) return [`call ${model} is estimated at nothing`];
        const known = complete && kind !== "silent";
        return known ? [`call ${model} was answered with usage and is estimated`] : [];
      }
      return row.input_tokens === input && row.output_tokens === output
        ? []
        : [`call ${model} is charged ${tokens} tokens, the upstream reported ${input} + ${output}`];
  }
}

function count(model: string, row: SettledRow, { arrived, complete }: Facts, tally: Tally): void {
  tally.rows += 1;
  if (!arrived) tally.unsent += 1;
  if (!arrived && row.state === "posted") tally.unsentCharged += 1;
  if (row.state === "voided") tally.voided += 1;
  else if (row.state === "expired") tally.expired += 1;
  else if (row.estimated === 1) tally.estimated += 1;
  else tally.exact += 1;
  const isEstimate = row.state === "expired" && kindOf(model) !== "silent";
  if (complete && isEstimate) tally.deliveredAndEstimated += 1;
}
