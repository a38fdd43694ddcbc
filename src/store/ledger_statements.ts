import type { SQLQueryBindings, Statement } from "bun:sqlite";
import type { Ending } from "../domain/hold.ts";
import type { Month } from "../domain/month.ts";
import type { Operation, ProviderId } from "../domain/provider.ts";
import { ledgerSql } from "./ledger_sql.ts" with { type: "macro" };
import type { Sqlite } from "./sqlite.ts";
import type { Row } from "./tables.ts";

/** The columns that the ledger's statements bind, in the order in which they bind them. */
type NewCall = [
  id: string,
  organizationId: string,
  keyId: string,
  provider: ProviderId,
  operation: Operation,
  requestedModel: string,
  streamed: 0 | 1,
  admittedAtMs: number,
  month: Month,
  heldTokens: number,
  heldCostMicrocents: number,
  inputTokens: number,
];

type Measured = [
  inputTokens: number,
  cacheReadTokens: number,
  cacheWriteTokens: number,
  outputTokens: number,
  reasoningTokens: number,
  costMicrocents: number,
];

type SettledCall = [
  state: "posted" | "voided" | "expired",
  ending: Ending | null,
  endedAtMs: number,
  servedModel: string | null,
  upstreamStatus: number | null,
  estimated: 0 | 1,
  priceId: string | null,
  pricePercent: number | null,
  priceTierAbove: number | null,
  priceRates: string | null,
  cacheWrite1hTokens: number,
  inputAudioTokens: number,
  outputAudioTokens: number,
  ...Measured,
  id: string,
];

type UsageSum = [
  organizationId: string,
  hourOrDay: number,
  keyId: string,
  provider: ProviderId,
  requestedModel: string,
  calls: number,
  estimatedCalls: number,
  ...Measured,
];

type NewAuditEvent = [
  id: string,
  organizationId: string,
  actor: string,
  address: string,
  action: string,
  target: string,
  detail: string,
  happenedAtMs: number,
];

type OpenedCircuit = Pick<Row<"org_settings">, "organization_id">;

/** The ledger's writes as prepared statements. */
export interface LedgerStatements {
  readonly insertCall: Statement<unknown, NewCall>;
  readonly settleCall: Statement<unknown, SettledCall>;
  readonly checkpointCall: Statement<unknown, [output: number, costMicrocents: number, id: string]>;
  readonly addKeyMonth: Statement<unknown, [keyId: string, month: Month, tokens: number]>;
  readonly addOrgMonth: Statement<unknown, [organizationId: string, month: Month, cost: number]>;
  readonly addUsageHour: Statement<unknown, UsageSum>;
  readonly addUsageDay: Statement<unknown, UsageSum>;
  readonly openCircuit: Statement<unknown, [openedAtMs: number, organizationId: string]>;
  /** Opens the circuit of every organization whose month is at its limit, and returns which. */
  readonly openCircuits: Statement<OpenedCircuit, [openedAtMs: number, month: Month]>;
  readonly addAuditEvent: Statement<unknown, NewAuditEvent>;
}

/** Written when the program is built: the query builder takes long to do it in a process that has just begun. */
const SQL = ledgerSql();

/** Prepares the ledger's writes. */
export function prepareLedger({ connection }: Pick<Sqlite, "connection">): LedgerStatements {
  const prepare = <Bound extends SQLQueryBindings[], Returned = unknown>(text: string) =>
    connection.prepare<Returned, Bound>(text);
  return {
    insertCall: prepare(SQL.insertCall),
    settleCall: prepare(SQL.settleCall),
    checkpointCall: prepare(SQL.checkpointCall),
    addKeyMonth: prepare(SQL.addKeyMonth),
    addOrgMonth: prepare(SQL.addOrgMonth),
    addUsageHour: prepare(SQL.addUsageHour),
    addUsageDay: prepare(SQL.addUsageDay),
    openCircuit: prepare(SQL.openCircuit),
    openCircuits: prepare<[number, Month], OpenedCircuit>(SQL.openCircuits),
    addAuditEvent: prepare(SQL.addAuditEvent),
  };
}
