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

/** What one month of one organization adds up to within a transaction. */
interface MonthSum {
  readonly organizationId: string;
  readonly month: Month;
  costMicrocents: number;
}

/** Adds up the charges of one transaction, so that a hundred calls of one key touch each sum once. */
export class RollUp {
  readonly #statements: LedgerStatements;
  /** By key: most calls of one transaction and key belong to one sum. */
  readonly #hours = new Map<string, HourSum[]>();

  constructor(statements: LedgerStatements) {
    this.#statements = statements;
  }

  add(charge: Charge): void {
    const { usage } = charge;
    const sum = this.#sumOf(charge);
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
    const sums = [...this.#hours.values()].flat();
    for (const sum of sums) this.#writeHour(sum);
    for (const { organizationId, month, costMicrocents } of monthsOf(sums))
      this.#statements.addOrgMonth.run(organizationId, month, costMicrocents);
    this.clear();
  }

  /** Drops the sums: their transaction was undone. */
  clear(): void {
    this.#hours.clear();
  }

  #sumOf(charge: Charge): HourSum {
    const sums = this.#hours.get(charge.keyId) ?? [];
    const known = sums.find(({ first }) => isOfOneSum(first, charge));
    if (known !== undefined) return known;
    const sum = { first: charge, calls: 0, estimatedCalls: 0, costMicrocents: 0, ...NO_USAGE };
    sums.push(sum);
    this.#hours.set(charge.keyId, sums);
    return sum;
  }

  #writeHour(sum: HourSum): void {
    const { organizationId, keyId, provider, requestedModel, month } = sum.first;
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
    const hour = hourOf(sum.first);
    this.#statements.addUsageHour.run(organizationId, hour, ...counts);
    this.#statements.addUsageDay.run(organizationId, Math.floor(hour / HOURS_PER_DAY), ...counts);
    const tokens = totalTokens({
      ...NO_USAGE,
      inputTokens: sum.inputTokens,
      outputTokens: sum.outputTokens,
    });
    this.#statements.addKeyMonth.run(keyId, month, tokens);
  }
}

/** Adds hours up by organization and month. */
function monthsOf(sums: readonly HourSum[]): Iterable<MonthSum> {
  const months = new Map<string, MonthSum>();
  for (const { first, costMicrocents } of sums) {
    const { organizationId, month } = first;
    const name = `${organizationId} ${month}`;
    const known = months.get(name);
    if (known === undefined) months.set(name, { organizationId, month, costMicrocents });
    else known.costMicrocents += costMicrocents;
  }
  return months.values();
}

/** Whether two charges of one key add up. */
function isOfOneSum(one: Charge, other: Charge): boolean {
  return (
    one.requestedModel === other.requestedModel &&
    one.provider === other.provider &&
    one.organizationId === other.organizationId &&
    one.month === other.month &&
    hourOf(one) === hourOf(other)
  );
}

/** Counts hours since the Unix epoch. */
function hourOf({ admittedAtMs }: Pick<Charge, "admittedAtMs">): number {
  return Math.floor(admittedAtMs / HOUR_MS);
}
