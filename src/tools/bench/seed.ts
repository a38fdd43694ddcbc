import { Database } from "bun:sqlite";
import { generateInferenceKey, hashKey, keyPrefix } from "../../domain/inference_key_text.ts";
import { monthOf } from "../../domain/month.ts";
import { uuid7 } from "../../std/uuid7.ts";

const HOUR_MS = 3_600_000;

/** Recorded calls lie in the past by one to this many hours. */
const HOURS = 30 * 24;

/** Rows per transaction. */
const BATCH = 100_000;

const MODELS = ["openai/gpt-4o-mini", "openai/gpt-4o", "anthropic/claude-sonnet-4-5"];

/** Opens a database that no proxy has open, for writing quickly: what a crash loses is made again. */
export function openForSeeding(path: string): Database {
  const database = new Database(path, { strict: true });
  database.run("pragma synchronous = off");
  database.run("pragma cache_size = -200000");
  return database;
}

/** Adds inference keys to an organization, and returns their texts. */
export function seedKeys(database: Database, organizationId: string, count: number): string[] {
  const insert = database.prepare(
    "insert into inference_keys (id, organization_id, name, key_prefix, key_hash, " +
      "monthly_token_limit, rate_limit_rpm, status, created_at_ms) " +
      "values (?, ?, ?, ?, ?, 1000000000000000, 100000, 'active', ?)",
  );
  const nowMs = Date.now();
  return database
    .transaction(() =>
      Array.from({ length: count }, (_, index) => {
        const text = generateInferenceKey();
        const name = `seeded ${index}`;
        insert.run(uuid7(nowMs), organizationId, name, keyPrefix(text), hashKey(text), nowMs);
        return text;
      }),
    )
    .immediate();
}

/** Adds settled calls of the last month, oldest first, with the sums that the ledger would have kept. */
export function seedCalls(database: Database, organizationId: string, count: number): void {
  const keyIds = database
    .query<{ id: string }, []>("select id from inference_keys limit 100")
    .all()
    .map(({ id }) => id);
  const insert = database.prepare(
    "insert into calls (id, organization_id, key_id, provider, operation, requested_model, " +
      "served_model, streamed, admitted_at_ms, month, state, ending, ended_at_ms, " +
      "upstream_status, estimated, price_id, held_tokens, held_cost_microcents, input_tokens, " +
      "cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost_microcents) " +
      "values (?, ?, ?, ?, 'chat', ?, ?, ?, ?, ?, 'posted', 'completed', ?, 200, 0, ?, 1200, " +
      "60000, 61, 0, 0, 44, 0, 3555)",
  );
  const beginMs = Date.now() - HOURS * HOUR_MS;
  const stepMs = ((HOURS - 1) * HOUR_MS) / count;
  const insertOne = (index: number) => {
    const atMs = Math.floor(beginMs + index * stepMs);
    const model = MODELS[index % MODELS.length] ?? "";
    const [provider = "", served = ""] = model.split("/");
    const keyId = keyIds[index % keyIds.length] ?? "";
    const streamed = index % 2;
    const month = monthOf(atMs);
    const id = uuid7(atMs);
    const head = [id, organizationId, keyId, provider, model, served, streamed, atMs, month];
    insert.run(...head, atMs + 900, `${provider}/${served}`);
  };
  for (let done = 0; done < count; done += BATCH) {
    database
      .transaction(() => {
        for (let index = done; index < Math.min(count, done + BATCH); index += 1) insertOne(index);
      })
      .immediate();
  }
  sumUp(database);
}

/** Writes the roll-ups anew from the calls. */
function sumUp(database: Database): void {
  const measured =
    "sum(input_tokens), sum(cache_read_tokens), sum(cache_write_tokens), sum(output_tokens), " +
    "sum(reasoning_tokens), sum(cost_microcents)";
  database.run("delete from usage_hours");
  database.run("delete from key_months");
  database.run("delete from org_months");
  database.run(
    "insert into usage_hours (organization_id, hour, key_id, provider, requested_model, calls, " +
      "estimated_calls, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, " +
      "reasoning_tokens, cost_microcents) select organization_id, admitted_at_ms / 3600000, " +
      `key_id, provider, requested_model, count(*), sum(estimated), ${measured} from calls ` +
      "group by 1, 2, 3, 4, 5",
  );
  database.run(
    "insert into key_months (key_id, month, used_tokens) " +
      "select key_id, month, sum(input_tokens + output_tokens) from calls group by 1, 2",
  );
  database.run(
    "insert into org_months (organization_id, month, cost_microcents) " +
      "select organization_id, month, sum(cost_microcents) from calls group by 1, 2",
  );
}
