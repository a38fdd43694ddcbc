import type { Month } from "../domain/month.ts";
import type { ProviderId } from "../domain/provider.ts";
import { NO_USAGE, totalTokens, type Usage } from "../domain/usage.ts";
import type { LedgerStatements } from "./ledger_statements.ts";

const HOUR_MS = 3_600_000;
const HOURS_PER_DAY = 24;

/** A call that was charged, as the sums see it. */
export interface Charge {
  readonly organizationId: string;
  readonly keyId: string;
  readonly provider: ProviderId;
  readonly requestedModel: string;
  readonly admittedAtMs: number;
  readonly month: Month;
  readonly estimated: boolean;
  readonly usage: Pick<
    Usage,
    "inputTokens" | "cacheReadTokens" | "cacheWriteTokens" | "outputTokens" | "reasoningTokens"
  >;
  readonly costMicrocents: number;
}

/** What one hour of one key and model adds up to within a transaction. */
interface HourSum {
  readonly first: Charge;
  calls: number;
  estimatedCalls: number;
  inputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  outputTokens: number;
  reasoningTokens: number;
  costMicrocents: number;
}

/** Adds up the charges of one transaction, so that a hundred calls of one key touch each sum once. */
export class RollUp {
  readonly #statements: LedgerStatements;
  readonly #hours = new Map<string, HourSum>();

  constructor(statements: LedgerStatements) {
    this.#statements = statements;
  }

  add(charge: Charge): void {
    const { organizationId, keyId, provider, requestedModel, usage } = charge;
    const hour = Math.floor(charge.admittedAtMs / HOUR_MS);
    const name = `${hour} ${charge.month} ${organizationId} ${keyId} ${provider} ${requestedModel}`;
    let sum = this.#hours.get(name);
    if (sum === undefined) {
      sum = { first: charge, calls: 0, estimatedCalls: 0, costMicrocents: 0, ...NO_USAGE };
      this.#hours.set(name, sum);
    }
    sum.calls += 1;
    sum.estimatedCalls += charge.estimated ? 1 : 0;
    sum.inputTokens += usage.inputTokens;
    sum.cacheReadTokens += usage.cacheReadTokens;
    sum.cacheWriteTokens += usage.cacheWriteTokens;
    sum.outputTokens += usage.outputTokens;
    sum.reasoningTokens += usage.reasoningTokens;
    sum.costMicrocents += charge.costMicrocents;
  }

  /** Writes the sums, inside the transaction of the calls they come from. */
  write(): void {
    for (const sum of this.#hours.values()) this.#writeHour(sum);
    this.#hours.clear();
  }

  /** Drops the sums: their transaction was undone. */
  clear(): void {
    this.#hours.clear();
  }

  #writeHour(sum: HourSum): void {
    const { organizationId, keyId, provider, requestedModel, admittedAtMs, month } = sum.first;
    const counts = [
      keyId,
      provider,
      requestedModel,
      sum.calls,
      sum.estimatedCalls,
      sum.inputTokens,
      sum.cacheReadTokens,
      sum.cacheWriteTokens,
      sum.outputTokens,
      sum.reasoningTokens,
      sum.costMicrocents,
    ] as const;
    const hour = Math.floor(admittedAtMs / HOUR_MS);
    this.#statements.addUsageHour.run(organizationId, hour, ...counts);
    this.#statements.addUsageDay.run(organizationId, Math.floor(hour / HOURS_PER_DAY), ...counts);
    const tokens = totalTokens({
      ...NO_USAGE,
      inputTokens: sum.inputTokens,
      outputTokens: sum.outputTokens,
    });
    this.#statements.addKeyMonth.run(keyId, month, tokens);
    this.#statements.addOrgMonth.run(organizationId, month, sum.costMicrocents);
  }
}
