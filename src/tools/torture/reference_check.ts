import type { Database } from "bun:sqlite";
import type { HoldState } from "../../domain/hold.ts";
import type { Month } from "../../domain/month.ts";
import type { ReferenceCall, ReferenceLedger } from "./reference_ledger.ts";

/** A row of `calls` as far as it is compared. */
export interface CallRow {
  readonly id: string;
  readonly state: HoldState;
  readonly month: Month;
  readonly estimated: 0 | 1;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_microcents: number;
}

/** Reads every call. */
export function readCalls(database: Database): Map<string, CallRow> {
  const rows = database.query<CallRow, []>("select * from calls").all();
  return new Map(rows.map((row) => [row.id, row]));
}

/** Says where the calls on disk are not those of the reference, when everything should be written. */
export function writtenFaults(
  reference: ReferenceLedger,
  rows: ReadonlyMap<string, CallRow>,
): string[] {
  const faults = reference.calls.flatMap((call) => {
    const row = rows.get(call.id);
    return row === undefined ? [`call ${call.id} is not on disk`] : rowFaults(call, row);
  });
  if (rows.size > reference.calls.length)
    faults.push(`${rows.size} calls are on disk, ${reference.calls.length} were admitted`);
  return faults;
}

/**
 * Says which promises a crash has broken, given what it left on disk; and brings the reference to where the
 * next start should take the ledger: what was open or not yet written expires at its last checkpoint.
 */
export function crashFaults(
  reference: ReferenceLedger,
  rows: ReadonlyMap<string, CallRow>,
): string[] {
  const faults: string[] = [];
  for (const call of reference.calls) {
    const row = rows.get(call.id);
    if (row === undefined) faults.push(`admitted call ${call.id} is not on disk`);
    else if (row.state !== "pending") faults.push(...rowFaults(call, row));
    else if (call.durable) faults.push(`call ${call.id} was written as ${call.state}, and is open`);
    else faults.push(...expire(call, row));
  }
  if (rows.size > reference.calls.length)
    faults.push(`${rows.size} calls are on disk, ${reference.calls.length} were admitted`);
  return faults;
}

function expire(call: ReferenceCall, row: CallRow): string[] {
  const { output_tokens: output } = row;
  const durable = call.checkpoints.findLast((checkpoint) => checkpoint.durable);
  const last = call.checkpoints.findLast((checkpoint) => checkpoint.outputTokens === output);
  call.state = "expired";
  call.estimated = true;
  call.durable = true;
  call.tokens = last === undefined ? call.heldTokens : call.estimatedInputTokens + output;
  call.costMicrocents = last?.costMicrocents ?? call.heldCostMicrocents;
  if (output > 0 && last === undefined)
    return [`call ${call.id} has a checkpoint of ${output} tokens that was never noted`];
  return output < (durable?.outputTokens ?? 0) ? [`call ${call.id} has lost a checkpoint`] : [];
}

function rowFaults(call: ReferenceCall, row: CallRow): string[] {
  const open = call.state === "pending";
  const expected = [
    call.state,
    call.month,
    call.estimated ? 1 : 0,
    call.tokens,
    call.costMicrocents,
  ];
  const found = [
    row.state,
    row.month,
    row.estimated,
    open ? 0 : row.input_tokens + row.output_tokens,
    open ? 0 : row.cost_microcents,
  ];
  if (found.join() === expected.join()) return [];
  return [`call ${call.id} is ${found.join(" ")}, should be ${expected.join(" ")}`];
}

interface CircuitRow {
  readonly id: string;
  readonly open: 0 | 1;
  /** Whether the last word of the audit trail is that the circuit is open; null if it says nothing. */
  readonly audited: 0 | 1 | null;
}

/** Says which cost circuits on disk are not as they should be, or not as the audit trail says. */
export function circuitFaults(reference: ReferenceLedger, database: Database): string[] {
  return readCircuits(database).flatMap(({ id, open, audited }) => {
    const { circuitOpen } = reference.organization(id);
    const wrong = (open === 1) === circuitOpen ? [] : [`circuit of ${id} is ${open} on disk`];
    if (audited === null || audited === open) return wrong;
    return [...wrong, `circuit of ${id} is ${open}, its audit trail ends with ${audited}`];
  });
}

/** Returns the organizations whose cost circuit is open on disk. */
export function openCircuits(database: Database): Set<string> {
  const open = readCircuits(database).filter((row) => row.open === 1);
  return new Set(open.map((row) => row.id));
}

function readCircuits(database: Database): CircuitRow[] {
  return database
    .query<CircuitRow, []>(
      `select organization_id as id, circuit_opened_at_ms is not null as open, (
        select case action when 'cost_circuit.trip' then 1
          else coalesce(detail ->> '$.circuit_open.after', detail ->> '$.circuit_open') end
        from audit_events where audit_events.organization_id = org_settings.organization_id
          and (action = 'cost_circuit.trip'
            or action = 'settings.save' and detail -> '$.circuit_open' is not null)
        order by audit_events.rowid desc limit 1
      ) as audited from org_settings`,
    )
    .all();
}
