import type { Log } from "../std/log.ts";
import { uuid7 } from "../std/uuid7.ts";
import type { OrgAccount, OrgMonth } from "./accounts.ts";
import { systemAct } from "./audit.ts";
import type { GroupCommit } from "./group_commit.ts";
import type { LedgerStatements } from "./ledger_statements.ts";

/** What a tripped cost circuit is called in the audit trail. */
const TRIP = "cost_circuit.trip";

/** Opens cost circuits: in memory at once, and on disk together with what is settled. */
export class CostCircuits {
  readonly #statements: LedgerStatements;
  readonly #commits: Pick<GroupCommit, "patient">;
  readonly #log: Log;
  /** When those tripped whose rows do not say so yet, by organization. */
  readonly #unwritten = new Map<string, number>();

  constructor(statements: LedgerStatements, commits: Pick<GroupCommit, "patient">, log: Log) {
    this.#statements = statements;
    this.#commits = commits;
    this.#log = log;
  }

  /** Trips an organization's cost circuit if the settled cost of this month is at its limit. */
  tripIfOver(account: OrgAccount, { settled }: OrgMonth, nowMs: number): void {
    const { id, circuitOpenedAtMs, limitMicrocents } = account;
    if (circuitOpenedAtMs !== null || limitMicrocents === null || settled < limitMicrocents) return;
    account.circuitOpenedAtMs = nowMs;
    this.#unwritten.set(id, nowMs);
    const amounts = { settled_microcents: settled, limit_microcents: limitMicrocents };
    this.#log.warn("cost circuit tripped", { organization: id, ...amounts });
    this.#commits.patient(() => {
      const { changes } = this.#statements.openCircuit.run(nowMs, id);
      if (changes > 0) auditTrip(this.#statements, id, nowMs, amounts);
    });
  }

  /** Returns when an organization's circuit tripped, if its row does not say so yet; else null. */
  unwrittenTripMs(organizationId: string): number | null {
    return this.#unwritten.get(organizationId) ?? null;
  }

  /** Notes that every row says what is so. */
  written(): void {
    this.#unwritten.clear();
  }
}

/** Writes down that a cost circuit tripped, in the transaction that opens it. */
export function auditTrip(
  { addAuditEvent }: LedgerStatements,
  organizationId: string,
  nowMs: number,
  detail: Readonly<Record<string, number | boolean>>,
): void {
  const text = JSON.stringify(detail);
  const { actor, address } = systemAct(nowMs);
  const id = uuid7(nowMs);
  addAuditEvent.run(id, organizationId, actor, address, TRIP, organizationId, text, nowMs);
}
