import { MICROCENTS_PER_CENT } from "../../domain/limits.ts";
import { type ClientCall, type Endpoint, makeCall, type Seen } from "./client.ts";
import type { PartOptions } from "./part.ts";
import { Proxy } from "./proxy.ts";
import { Random } from "./random.ts";
import { prepareSumFaults } from "./sums.ts";
import { startUpstream, type Upstream } from "./upstream.ts";
import { streamAnswer, wholeAnswer } from "./upstream_answer.ts";
import { mustHold } from "./violation.ts";

const STREAMS = 100;

/** After how many streams the limit is reached. */
const CROSSING = 50;

/** What each stream reports: far more than it holds, so that the limit is crossed in the middle. */
const REPORTED = { input: 100_000, output: 10_000 };

const CALLERS = 8;

/** Crosses the cost limit in the middle of many streams, and sees to it that nothing passes afterwards. */
export async function burstCircuit({ binary, seed }: PartOptions): Promise<string> {
  const random = new Random(seed);
  await using upstream = startUpstream((arrival) => {
    if (!arrival.stream) return wholeAnswer(arrival, { input: 5, output: 1 });
    const until = Bun.sleep(random.between(100, 1500));
    const plan = { reported: REPORTED, pieces: 3, pieceDelayMs: 5, end: "usage", until } as const;
    return streamAnswer(arrival, plan);
  });
  await using proxy = await Proxy.open({ binary, upstream: upstream.address });
  const { secret } = await proxy.createKey();
  const endpoint = { url: proxy.url, secret };
  await makeCall(endpoint, stream("probe"));
  await Bun.sleep(50);
  const costMicrocents = settled(proxy);
  const limitCents = Math.floor(((CROSSING + 1) * costMicrocents) / MICROCENTS_PER_CENT);
  await proxy.manage("PUT", "/settings", { monthly_cost_limit_cents: limitCents });

  let running = true;
  const callers = Array.from({ length: CALLERS }, () => callOnAndOn(endpoint, () => running));
  const names = Array.from({ length: STREAMS }, (_, index) => stream(`s-${index}`));
  const streams = await Promise.all(names.map((call) => makeCall(endpoint, call)));
  running = false;
  const others = (await Promise.all(callers)).flat();
  await Bun.sleep(50);
  const late = mustHaveTripped(proxy, streams, others);
  await mustStayOpen(proxy, upstream, endpoint, limitCents);
  const refused = others.filter(({ status }) => status === 402).length;
  const passed = others.length - refused;
  return (
    `circuit: ${STREAMS} streams across the limit, all whole, ${passed} other calls before the trip, ` +
    `${late} after it of ${refused}, still open after a kill, reset refused while over`
  );
}

function stream(model: string): ClientCall {
  return { model, operation: "chat", stream: true, maxTokens: 1 };
}

async function callOnAndOn(endpoint: Endpoint, goesOn: () => boolean): Promise<Seen[]> {
  const seen: Seen[] = [];
  while (goesOn()) {
    seen.push(await makeCall(endpoint, { ...stream(`o-${seen.length}`), stream: false }));
    await Bun.sleep(5);
  }
  return seen;
}

/** Returns how many calls were admitted after the circuit had opened. */
function mustHaveTripped(proxy: Proxy, streams: readonly Seen[], others: readonly Seen[]): number {
  const broken = streams.filter(({ complete }) => !complete);
  mustHold(
    "A stream was not served to its end",
    broken.map(({ model, status }) => `${model}: ${status}`),
  );
  mustHold(
    "A call was refused otherwise",
    others
      .filter(({ complete, code, headers }) => {
        return (
          !complete && !(code === "cost_circuit_open" && headers.get("x-should-retry") === "false")
        );
      })
      .map(({ status, code }) => `${status} ${code}`),
  );
  return proxy.read((database) => {
    const late = database
      .query<{ opened: number | null; late: number; audited: number }, []>(
        `select circuit_opened_at_ms as opened,
          (select count(*) from calls where admitted_at_ms > circuit_opened_at_ms) as late,
          (select count(*) from audit_events where action = 'cost_circuit.trip') as audited
        from org_settings`,
      )
      .get();
    const faults = prepareSumFaults(database)();
    if (late === null || late.opened === null) faults.push("the cost circuit is closed");
    else if (late.late > 0) faults.push(`${late.late} calls were admitted after the trip`);
    if (late?.audited !== 1) faults.push(`the trip was written down ${late?.audited} times`);
    mustHold("The cost circuit did not hold", faults);
    return late?.late ?? 0;
  });
}

async function mustStayOpen(
  proxy: Proxy,
  upstream: Upstream,
  { secret }: Endpoint,
  limitCents: number,
): Promise<void> {
  proxy.kill();
  await proxy.ended();
  await proxy.start();
  upstream.takeArrivals();
  const endpoint = { url: proxy.url, secret };
  const whole = { ...stream("after"), stream: false };
  const seen = await Promise.all(Array.from({ length: 20 }, () => makeCall(endpoint, whole)));
  const faults = seen
    .filter(({ code }) => code !== "cost_circuit_open")
    .map(({ status, code }) => `a call after the restart was answered ${status} ${code}`);
  if (upstream.arrivals.length > 0) faults.push(`${upstream.arrivals.length} calls went upstream`);
  const reset = await proxy.manageStatus("PUT", "/settings", { reset_circuit: true });
  if (reset !== 409) faults.push(`a reset while over the limit was answered ${reset}`);
  const raise = { monthly_cost_limit_cents: limitCents * 10, reset_circuit: true };
  const raised = await proxy.manageStatus("PUT", "/settings", raise);
  if (raised !== 200) faults.push(`a reset with a higher limit was answered ${raised}`);
  const { complete, status } = await makeCall(endpoint, whole);
  if (!complete) faults.push(`a call after the reset was answered ${status}`);
  mustHold("The cost circuit is not durable", faults);
}

function settled(proxy: Proxy): number {
  return proxy.read((database) => {
    const sum = database.query<{ cost: number }, []>(
      "select coalesce(sum(cost_microcents), 0) as cost from org_months",
    );
    return sum.get()?.cost ?? 0;
  });
}
