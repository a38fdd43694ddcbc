import { type Month, monthOf } from "../domain/month.ts";
import { SQL } from "./asked_at_start.ts";
import { auditTrip } from "./cost_circuits.ts";
import type { LedgerStatements } from "./ledger_statements.ts";
import type { RollUp } from "./roll_up.ts";
import type { Sqlite } from "./sqlite.ts";
import type { Row } from "./tables.ts";

/** What a start had to make up for. */
export interface Expired {
  readonly calls: number;
  /** How many cost circuits tripped by it. */
  readonly circuits: number;
}

/**
 * Posts every call that a crash left open, as an estimate: at its last checkpoint, or at its whole hold if
 * it had none. Said again after another crash, nothing is posted twice.
 */
export function expireHolds(
  { connection }: Pick<Sqlite, "connection">,
  statements: LedgerStatements,
  rollUp: RollUp,
  nowMs: number,
): Expired {
  const rows = connection.prepare<Row<"calls">, []>(SQL.openCalls).all();
  if (rows.length === 0) return { calls: 0, circuits: 0 };
  return connection
    .transaction(() => {
      for (const row of rows) expire(row, statements, rollUp, nowMs);
      rollUp.write();
      const month = Math.max(monthOf(nowMs), lastBilledMonth({ connection }));
      const opened = statements.openCircuits.all(nowMs, month);
      for (const { organization_id: id } of opened)
        auditTrip(statements, id, nowMs, { after_crash: true });
      return { calls: rows.length, circuits: opened.length };
    })
    .immediate();
}

/** Returns the newest month that anything was charged to; 0 if nothing was yet. */
export function lastBilledMonth({ connection }: Pick<Sqlite, "connection">): Month {
  const row = connection.prepare<{ month: Month | null }, []>(SQL.lastBilledMonth).get();
  return row?.month ?? 0;
}

function expire(
  row: Row<"calls">,
  statements: LedgerStatements,
  rollUp: RollUp,
  nowMs: number,
): void {
  const checkpointed = row.output_tokens > 0;
  const outputTokens = checkpointed ? row.output_tokens : row.held_tokens - row.input_tokens;
  const costMicrocents = checkpointed ? row.cost_microcents : row.held_cost_microcents;
  statements.settleCall.run(
    "expired",
    null,
    nowMs,
    null,
    null,
    1,
    null,
    null,
    null,
    null,
    0,
    0,
    0,
    row.input_tokens,
    0,
    0,
    outputTokens,
    0,
    costMicrocents,
    row.id,
  );
  rollUp.add({
    organizationId: row.organization_id,
    keyId: row.key_id,
    provider: row.provider,
    requestedModel: row.requested_model,
    admittedAtMs: row.admitted_at_ms,
    month: row.month,
    estimated: true,
    usage: {
      inputTokens: row.input_tokens,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      outputTokens,
      reasoningTokens: 0,
    },
    costMicrocents,
  });
}
