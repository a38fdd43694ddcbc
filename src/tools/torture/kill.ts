import type { Endpoint } from "./client.ts";
import { emptyTally, roundFaults, type SettledRow, type Tally } from "./kill_check.ts";
import { answerLoad, Load } from "./kill_load.ts";
import type { PartOptions } from "./part.ts";
import { Proxy } from "./proxy.ts";
import { Random } from "./random.ts";
import { prepareSumFaults } from "./sums.ts";
import { startUpstream, type Upstream } from "./upstream.ts";
import { mustHold } from "./violation.ts";

const ROUNDS = { quick: 200, long: 1000 };

const CLIENTS = 16;

/** How long a round lasts at most until its kill, in milliseconds. */
const ROUND_MS_MAX = 300;

/** Adding up all calls takes longer with each round, so it is not done after every one. */
const ROUNDS_PER_FULL_CHECK = 20;

/** Every how many rounds the process is asked to end instead of being killed. */
const ROUNDS_PER_TERM = 25;

/** Kills the program at random moments under load, and compares what the upstream saw with the ledger. */
export async function kill({ binary, long, seed }: PartOptions): Promise<string> {
  const random = new Random(seed);
  await using upstream = startUpstream(answerLoad);
  await using proxy = await Proxy.open({ binary, upstream: upstream.address });
  const keys = [await proxy.createKey(), await proxy.createKey(), await proxy.createKey()];
  const ledger = new LedgerReader(proxy);
  const rounds = long ? ROUNDS.long : ROUNDS.quick;
  let number = 1;
  for (let round = 1; round <= rounds; round += 1) {
    const endpoints = keys.map(({ secret }) => ({ url: proxy.url, secret }));
    const load = await killedRound(proxy, upstream, endpoints, number, random);
    number = load.nextNumber;
    mustHold(`Round ${round}: the log holds errors`, proxy.errors);
    await proxy.start();
    const all = round % ROUNDS_PER_FULL_CHECK === 0 || round === rounds;
    const faults = ledger.faults({ arrivals: upstream.takeArrivals(), seen: load.seen }, all);
    mustHold(`Round ${round}: the ledger is wrong`, faults);
  }
  return figures(rounds, ledger.tally);
}

/** Lets clients call until the process is killed, at a random time or just as a request arrives. */
async function killedRound(
  proxy: Proxy,
  upstream: Upstream,
  endpoints: readonly Endpoint[],
  firstNumber: number,
  random: Random,
): Promise<Load> {
  const ended = proxy.ended();
  const atArrival = random.chance(0.5) ? random.between(1, 60) : Number.POSITIVE_INFINITY;
  const gently = random.between(1, ROUNDS_PER_TERM) === 1;
  const end = () => (gently ? proxy.terminate() : proxy.kill());
  upstream.onArrival = (count) => {
    if (count === atArrival) end();
  };
  const timer = setTimeout(end, random.between(0, ROUND_MS_MAX));
  const load = new Load(endpoints, CLIENTS, firstNumber, random);
  await ended;
  clearTimeout(timer);
  await load.stop();
  return load;
}

/** Reads the ledger after each restart, each row once. */
class LedgerReader {
  readonly tally: Tally = emptyTally();
  readonly #proxy: Proxy;
  #lastRow = 0;
  #tokens = 0;
  #costMicrocents = 0;

  constructor(proxy: Proxy) {
    this.#proxy = proxy;
  }

  /** Says what is wrong with the rows of the last round, with the sums, and if asked with everything. */
  faults(round: Omit<Parameters<typeof roundFaults>[0], "rows">, all: boolean): string[] {
    return this.#proxy.read((database) => {
      const rows = database
        .query<SettledRow & { rowid: number }, [number]>(
          "select rowid, * from calls where rowid > ? order by rowid",
        )
        .all(this.#lastRow);
      this.#lastRow = rows.at(-1)?.rowid ?? this.#lastRow;
      for (const row of rows) {
        this.#tokens += row.input_tokens + row.output_tokens;
        this.#costMicrocents += row.cost_microcents;
      }
      const faults = roundFaults({ ...round, rows }, this.tally);
      const sums = database
        .query<Record<string, number>, []>(
          `select (select coalesce(sum(used_tokens), 0) from key_months) as tokens,
            (select coalesce(sum(cost_microcents), 0) from org_months) as cost`,
        )
        .get();
      const expected = { tokens: this.#tokens, cost: this.#costMicrocents };
      if (!Bun.deepEquals(sums, expected))
        faults.push(
          `the sums are ${JSON.stringify(sums)}, calls add up to ${JSON.stringify(expected)}`,
        );
      return all ? [...faults, ...prepareSumFaults(database)()] : faults;
    });
  }
}

function figures(rounds: number, tally: Tally): string {
  const { arrived, rows, exact, estimated, expired, voided, unsent } = tally;
  return (
    `${rounds} rounds, ${arrived} calls reached the upstream, ${rows} in the ledger, each once: ` +
    `${exact} exact, ${estimated} estimated, ${expired} expired by a kill, ${voided} voided; ` +
    `${unsent} held and never sent, ${tally.unsentCharged} of them charged after a hang-up; ${tally.deliveredAndEstimated} delivered whole and estimated; ` +
    "0 lost, 0 charged twice"
  );
}
