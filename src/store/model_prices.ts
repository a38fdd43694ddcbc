import { RATE_KINDS, RATE_NAMES, type RateKind, type Rates } from "../domain/price.ts";
import { formatModelName, type ModelName } from "../domain/provider.ts";
import { type Act, recordAuditEvent } from "./audit.ts";
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
  const said = Object.entries(columns).filter(([, value]) => value !== null);
  await recordAuditEvent(db, act, {
    organizationId,
    action: "model_price.save",
    target: formatModelName(name),
    detail: Object.fromEntries(said),
  });
  return saved;
}

/** Deletes an organization's price of a model. Returns whether there was one. */
export async function deleteModelPrice(
  db: Db,
  act: Act,
  organizationId: string,
  { provider, model }: ModelName,
): Promise<boolean> {
  const deleted = await db
    .deleteFrom("model_prices")
    .where("organization_id", "=", organizationId)
    .where("provider", "=", provider)
    .where("model", "=", model)
    .returning("model")
    .executeTakeFirst();
  if (deleted === undefined) return false;
  await recordAuditEvent(db, act, {
    organizationId,
    action: "model_price.delete",
    target: formatModelName({ provider, model }),
  });
  return true;
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
