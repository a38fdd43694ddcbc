import { RATE_KINDS, RATE_NAMES, type RateKind, type Rates } from "../domain/price.ts";
import { formatModelName, type ModelName } from "../domain/provider.ts";
import { type Act, type AuditDetail, changesOf, recordAuditEvent } from "./audit.ts";
import type { Db, Row } from "./tables.ts";

/** What a model costs: its rates, or the model of the catalogue that it is priced as. */
export type ModelPriceValues = { readonly rates: Rates } | { readonly aliasOf: ModelName };

/** Returns an organization's own prices, by provider and model. */
export function listModelPrices(db: Db, organizationId: string): Promise<Row<"model_prices">[]> {
  return db
    .selectFrom("model_prices")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .orderBy("provider")
    .orderBy("model")
    .execute();
}

/** Creates an organization's price of a model, or replaces what it says. */
export async function saveModelPrice(
  db: Db,
  act: Act,
  organizationId: string,
  name: ModelName,
  values: ModelPriceValues,
): Promise<Row<"model_prices">> {
  const columns = columnsOf(values);
  const before = await pricesOf(db, organizationId, name).selectAll().executeTakeFirst();
  const saved = await db
    .insertInto("model_prices")
    .values({
      organization_id: organizationId,
      provider: name.provider,
      model: name.model,
      created_at_ms: act.nowMs,
      updated_at_ms: act.nowMs,
      ...columns,
    })
    .onConflict((conflict) =>
      conflict
        .columns(["organization_id", "provider", "model"])
        .doUpdateSet({ ...columns, updated_at_ms: act.nowMs }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
  await recordAuditEvent(db, act, {
    organizationId,
    action: "model_price.save",
    target: formatModelName(name),
    detail: before === undefined ? said(saved) : changesOf(saidBy(before), saidBy(saved)),
  });
  return saved;
}

/** Deletes an organization's price of a model. Returns whether there was one. */
export async function deleteModelPrice(
  db: Db,
  act: Act,
  organizationId: string,
  name: ModelName,
): Promise<boolean> {
  const deleted = await db
    .deleteFrom("model_prices")
    .where("organization_id", "=", organizationId)
    .where("provider", "=", name.provider)
    .where("model", "=", name.model)
    .returningAll()
    .executeTakeFirst();
  if (deleted === undefined) return false;
  await recordAuditEvent(db, act, {
    organizationId,
    action: "model_price.delete",
    target: formatModelName(name),
    detail: said(deleted),
  });
  return true;
}

function pricesOf(db: Db, organizationId: string, { provider, model }: ModelName) {
  return db
    .selectFrom("model_prices")
    .where("organization_id", "=", organizationId)
    .where("provider", "=", provider)
    .where("model", "=", model);
}

/** What a price says: either an alias or some rates. */
function said(row: Row<"model_prices">): AuditDetail {
  return Object.fromEntries(Object.entries(saidBy(row)).filter(([, value]) => value !== null));
}

function saidBy(row: Row<"model_prices">) {
  const { alias_of, input, output, cache_read, cache_write, cache_write_1h } = row;
  const { input_audio, output_audio } = row;
  const text = { alias_of, input, output, cache_read, cache_write, cache_write_1h };
  return { ...text, input_audio, output_audio };
}

/** Returns the rates that a row says; what it leaves open is left open. */
export function ratesOf(row: Pick<Row<"model_prices">, RateColumn>): Rates {
  const rates: { -readonly [Kind in keyof Rates]: Rates[Kind] } = { input: 0 };
  for (const kind of RATE_KINDS) {
    const rate = row[RATE_NAMES[kind]];
    if (rate !== null) rates[kind] = rate;
  }
  return rates;
}

type RateColumn = (typeof RATE_NAMES)[RateKind];

function columnsOf(values: ModelPriceValues) {
  const rates: Partial<Rates> = "rates" in values ? values.rates : {};
  return {
    alias_of: "rates" in values ? null : formatModelName(values.aliasOf),
    input: rates.input ?? null,
    output: rates.output ?? null,
    cache_read: rates.cacheRead ?? null,
    cache_write: rates.cacheWrite ?? null,
    cache_write_1h: rates.cacheWrite1h ?? null,
    input_audio: rates.inputAudio ?? null,
    output_audio: rates.outputAudio ?? null,
  };
}
