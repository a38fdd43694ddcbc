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

/** What recorded calls have in common. Columns not named here are 0, or null where they may be. */
const COMMON: Readonly<Record<string, string | number>> = {
  operation: "chat",
  state: "posted",
  ending: "completed",
  upstream_status: 200,
  price_id: "openai/gpt-4o-mini",
  held_tokens: 1200,
  held_cost_microcents: 60_000,
  input_tokens: 61,
  output_tokens: 44,
  cost_microcents: 3555,
};

/** The columns that differ from call to call, in the order in which they are bound. */
const OWN = [
  "id",
  "organization_id",
  "key_id",
  "provider",
  "requested_model",
  "served_model",
  "streamed",
  "admitted_at_ms",
  "month",
  "ended_at_ms",
];

/** Adds settled calls of the last month, oldest first, with the sums that the ledger would have kept. */
export function seedCalls(database: Database, organizationId: string, count: number): void {
  const keyIds = database
    .query<{ id: string }, []>("select id from inference_keys limit 100")
    .all()
    .map(({ id }) => id);
  const insert = database.prepare(insertCall(columnsOf(database, "calls")));
  const beginMs = Date.now() - HOURS * HOUR_MS;
  const stepMs = ((HOURS - 1) * HOUR_MS) / count;
  const insertOne = (index: number) => {
    const atMs = Math.floor(beginMs + index * stepMs);
    const model = MODELS[index % MODELS.length] ?? "";
    const [provider = "", served = ""] = model.split("/");
    const keyId = keyIds[index % keyIds.length] ?? "";
    const names = [uuid7(atMs), organizationId, keyId, provider, model, served];
    insert.run(...names, index % 2, atMs, monthOf(atMs), atMs + 900);
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

interface ColumnInfo {
  readonly name: string;
  readonly notnull: 0 | 1;
}

function columnsOf(database: Database, table: string): readonly ColumnInfo[] {
  return database.query<ColumnInfo, []>(`pragma table_info(${table})`).all();
}

function insertCall(columns: readonly ColumnInfo[]): string {
  const others = columns.filter(({ name }) => !OWN.includes(name));
  const constants = others.map(({ name, notnull }) => {
    const value = COMMON[name] ?? (notnull === 1 ? 0 : null);
    return typeof value === "string" ? `'${value}'` : String(value);
  });
  const names = [...OWN, ...others.map(({ name }) => name)];
  return `insert into calls (${names}) values (${[...OWN.map(() => "?"), ...constants]})`;
}

/** Writes the sums anew from the calls. */
function sumUp(database: Database): void {
  fillSums(database, "usage_hours", {
    organization_id: "organization_id",
    hour: `admitted_at_ms / ${HOUR_MS}`,
    key_id: "key_id",
    provider: "provider",
    requested_model: "requested_model",
    calls: "count(*)",
    estimated_calls: "sum(estimated)",
  });
  fillSums(database, "key_months", {
    key_id: "key_id",
    month: "month",
    used_tokens: "sum(input_tokens + output_tokens)",
  });
  fillSums(database, "org_months", { organization_id: "organization_id", month: "month" });
}

/** Fills a table of sums. @param sources What its columns are made of; others sum up the column of their name. */
function fillSums(
  database: Database,
  table: string,
  sources: Readonly<Record<string, string>>,
): void {
  const names = columnsOf(database, table).map(({ name }) => name);
  const values = names.map((name) => sources[name] ?? `sum(${name})`);
  const groups = values.flatMap((value, at) => (/\(/.test(value) ? [] : [at + 1]));
  database.run(`delete from ${table}`);
  database.run(
    `insert into ${table} (${names}) select ${values} from calls group by ${groups.join(", ")}`,
  );
}
