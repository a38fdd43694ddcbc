import type { ProxyError } from "../../src/domain/errors.ts";
import type { AppliedPrice } from "../../src/domain/price.ts";
import { NO_USAGE } from "../../src/domain/usage.ts";
import { createLog } from "../../src/std/log.ts";
import { uuid7 } from "../../src/std/uuid7.ts";
import { type AdmitRequest, type Hold, Ledger, type Settlement } from "../../src/store/ledger.ts";
import type { Row } from "../../src/store/tables.ts";
import { type ManualClock, manualClock } from "./clock.ts";
import { openTestDatabase, type TestDatabase } from "./database.ts";

/** A price of one microcent per token. */
export const PRICE: AppliedPrice = {
  id: "openai/gpt-5@2026-06-01",
  percent: 100,
  tierAbove: null,
  rates: { input: 1_000_000, output: 1_000_000 },
};

/** A ledger over a database of its own, with organizations `acme` and `other`. */
export interface TestLedger {
  readonly database: TestDatabase;
  readonly clock: ManualClock;
  readonly ledger: Ledger;
  /** Everything logged so far, parsed. */
  readonly logged: Record<string, unknown>[];
  /** Opens another ledger on the same rows, as a start after a clean stop does. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

/** The cost limit of each organization, in cents, unless a test says otherwise: 10^9 microcents. */
export const LIMIT_CENTS = 1_000;

/** Opens a ledger at noon of 15 June 2026. */
export async function openTestLedger(clock: ManualClock = manualClock()): Promise<TestLedger> {
  const database = await openTestDatabase();
  for (const id of ["acme", "other"]) await createOrganization(database, id);
  const logged: Record<string, unknown>[] = [];
  const log = createLog({
    level: "debug",
    human: false,
    nowMs: clock.wallMs,
    write: (line) => logged.push(JSON.parse(line) as Record<string, unknown>),
  });
  const opened = {
    database,
    clock,
    logged,
    ledger: new Ledger(database, clock, log),
    reopen: async () => {
      await opened.ledger.close();
      opened.ledger = new Ledger(database, clock, log);
    },
    close: async () => {
      await opened.ledger.close();
      await database.close();
    },
  };
  return opened;
}

/** Creates an organization with settings. */
export async function createOrganization(
  { db }: TestDatabase,
  id: string,
  limitCents = LIMIT_CENTS,
): Promise<void> {
  await db
    .insertInto("organizations")
    .values({ id, name: id, slug: id, is_personal: 0, created_at_ms: 0 })
    .execute();
  const times = { circuit_opened_at_ms: null, created_at_ms: 0, updated_at_ms: 0 };
  await db
    .insertInto("org_settings")
    .values({ organization_id: id, eu_only: 0, monthly_cost_limit_cents: limitCents, ...times })
    .execute();
}

/** A call of key `key` of `acme` that holds 100 input and 900 output tokens, and as many microcents. */
export function callOf(clock: ManualClock, changes: Partial<AdmitRequest> = {}): AdmitRequest {
  return {
    callId: uuid7(clock.wallMs()),
    organizationId: "acme",
    keyId: "key",
    monthlyTokenLimit: 1_000_000,
    rateLimitRpm: 60,
    provider: "openai",
    operation: "chat",
    requestedModel: "openai/gpt-5",
    streamed: true,
    estimatedInputTokens: 100,
    heldTokens: 1_000,
    heldCostMicrocents: 1_000,
    ...changes,
  };
}

/** The end of a call that used so many tokens at a microcent each, or nothing. */
export function settlementOf(
  used: { readonly input: number; readonly output: number; readonly cost?: number } | null,
): Settlement {
  const usage = { ...NO_USAGE, inputTokens: used?.input ?? 0, outputTokens: used?.output ?? 0 };
  const costMicrocents = used?.cost ?? usage.inputTokens + usage.outputTokens;
  return {
    ending: "completed",
    upstreamStatus: 200,
    servedModel: "gpt-5-2025",
    used: used === null ? null : { usage, costMicrocents, price: PRICE, estimated: false },
  };
}

/** Returns the hold, or the code of the limit that refuses it. */
export async function admission(
  ledger: Ledger,
  call: AdmitRequest,
): Promise<Hold | ProxyError["code"]> {
  return ledger.admit(call).catch((error: ProxyError) => error.code);
}

/** Returns every call's row, in order of admission. */
export function callRows({ connection }: TestDatabase): Row<"calls">[] {
  return connection.query<Row<"calls">, []>("select * from calls order by id").all();
}
