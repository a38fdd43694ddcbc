import { type ClientCall, makeCall, type Seen } from "./client.ts";
import type { PartOptions } from "./part.ts";
import { type CreatedKey, Proxy } from "./proxy.ts";
import { type Respond, startUpstream } from "./upstream.ts";
import { wholeAnswer } from "./upstream_answer.ts";
import { mustHold } from "./violation.ts";

const CALLS = 200;

/** How many of the calls a key is worth. */
const WORTH = 10;

const MAX_TOKENS = 100;

/** How long the upstream waits for everybody at most, in milliseconds. */
const WAIT_MS_MAX = 20_000;

/** Sends many calls at once with keys whose tokens are enough for few of them. */
export async function burstCeiling({ binary }: PartOptions): Promise<string> {
  let respond: Respond = (arrival) => wholeAnswer(arrival, { input: 1, output: 1 });
  await using upstream = startUpstream((arrival) => respond(arrival));
  await using proxy = await Proxy.open({ binary, upstream: upstream.address });
  const held = await heldByCall(proxy);
  const tokens = WORTH * held;
  upstream.takeArrivals();

  // Nobody is answered before everybody else was refused: as many are admitted as fit.
  const refused = Promise.withResolvers<void>();
  const timer = setTimeout(refused.resolve, WAIT_MS_MAX);
  respond = async (arrival) => {
    await refused.promise;
    return wholeAnswer(arrival, { input: 1, output: held - 1 });
  };
  const together = await proxy.createKey({ tokens });
  let refusals = 0;
  const seen = await callAtOnce(proxy, together, (one) => {
    if (one.status === 429) refusals += 1;
    if (refusals === CALLS - WORTH) refused.resolve();
  });
  clearTimeout(timer);
  mustHold("Calls at once, all in flight", [
    ...atOnceFaults(seen, upstream.takeArrivals().length),
    ...usedFaults(proxy, together, tokens, held),
  ]);

  // Answered at once, so that used tokens and held ones mix. Each uses all that it holds.
  respond = (arrival) => wholeAnswer(arrival, { input: 1, output: held - 1 });
  const mixed = await proxy.createKey({ tokens: tokens + 1 });
  await callAtOnce(proxy, mixed);
  mustHold("Calls at once, answered at once", usedFaults(proxy, mixed, tokens + 1, held));
  const over = usedTokens(proxy, mixed) - (tokens + 1);
  return `ceiling: ${CALLS} calls at once for a key worth ${WORTH}, ${WORTH} admitted, at most ${over} tokens over where a call holds ${held}`;
}

async function heldByCall(proxy: Proxy): Promise<number> {
  const probe = await proxy.createKey();
  await makeCall({ url: proxy.url, secret: probe.secret }, callNumber(CALLS));
  return proxy.read((database) => {
    const row = database.query<{ held: number }, []>("select max(held_tokens) as held from calls");
    return row.get()?.held ?? 0;
  });
}

function callNumber(number: number): ClientCall {
  return { model: `c-${number}`, operation: "chat", stream: false, maxTokens: MAX_TOKENS };
}

function callAtOnce(
  { url }: Proxy,
  { secret }: CreatedKey,
  onSeen: (seen: Seen) => void = () => {},
): Promise<Seen[]> {
  return Promise.all(
    Array.from({ length: CALLS }, async (_, number) => {
      // Names of one length: each call holds as much as the others.
      const seen = await makeCall({ url, secret }, callNumber(CALLS + number));
      onSeen(seen);
      return seen;
    }),
  );
}

function atOnceFaults(seen: readonly Seen[], arrivals: number): string[] {
  const faults = arrivals === WORTH ? [] : [`${arrivals} calls reached the upstream`];
  for (const { complete, status, code, headers } of seen) {
    const retry = headers.get("x-should-retry");
    if (complete || (code === "token_ceiling_exceeded" && retry === "false")) continue;
    faults.push(`a call was refused with ${status} ${code}, x-should-retry ${retry}`);
  }
  return faults;
}

/** A key may end at most one call's hold above the last token that it had left. */
function usedFaults(proxy: Proxy, key: CreatedKey, tokens: number, held: number): string[] {
  const used = usedTokens(proxy, key);
  if (used >= tokens - held && used <= tokens - 1 + held) return [];
  return [`the key has used ${used} tokens of ${tokens}, each call holds ${held}`];
}

function usedTokens(proxy: Proxy, { id }: CreatedKey): number {
  return proxy.read((database) => {
    const sum = "select sum(case state when 'pending' then held_tokens else";
    const rest = "input_tokens + output_tokens end) as used from calls where key_id = ?";
    return database.query<{ used: number }, [string]>(`${sum} ${rest}`).get(id)?.used ?? 0;
  });
}
