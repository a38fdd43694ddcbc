import { BoundedMap } from "../std/bounded_map.ts";
import type { Clock } from "../std/clock.ts";

/** Failures within this time that bring a pause. */
const FAILURES_MAX = 5;
const FAILURES_WINDOW_MS = 5 * 60_000;

/** The first pause; each failure after it doubles the next, up to the longest. */
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 15 * 60_000;

/** How long a pair that has signed in is not throttled: or others could lock its owner out. */
const TRUSTED_MS = 24 * 3_600_000;

/** Bounds the pairs of user and address that are remembered. */
const PAIRS_MAX = 10_000;

/** What is remembered of a user at an address. Times are on the monotonic clock. */
interface Pair {
  failures: number;
  firstFailureMs: number;
  /** Attempts whose outcome is not known yet: they count, or many at once would pass together. */
  pending: number;
  pauseMs: number;
  pausedUntilMs: number;
  trustedUntilMs: number;
}

/** An attempt to sign in that was let through. Exactly one of these ends it. */
export interface Attempt {
  succeeded(): void;
  failed(): void;
  /** Nobody looked at the password. */
  abandoned(): void;
}

/** Slows down guessing of passwords, per user and address. */
export class LoginThrottle {
  readonly #clock: Clock;
  readonly #pairs = new BoundedMap<string, Pair>(PAIRS_MAX);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Lets an attempt through, or returns for how many milliseconds none is. */
  attempt(user: string, address: string): Attempt | number {
    const pair = this.#pair(`${user}\n${addressGroup(address)}`);
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= pair.trustedUntilMs) {
      if (nowMs < pair.pausedUntilMs) return pair.pausedUntilMs - nowMs;
      forgetOldFailures(pair, nowMs);
      const room = pair.pauseMs > 0 ? 1 : FAILURES_MAX - pair.failures;
      if (pair.pending >= room) return 1000;
    }
    pair.pending += 1;
    const end = (outcome: () => void) => () => {
      pair.pending -= 1;
      outcome();
    };
    return {
      succeeded: end(() => {
        pair.failures = 0;
        pair.pauseMs = 0;
        pair.trustedUntilMs = this.#clock.monotonicMs() + TRUSTED_MS;
      }),
      failed: end(() => countFailure(pair, this.#clock.monotonicMs())),
      abandoned: end(() => {}),
    };
  }

  #pair(key: string): Pair {
    const pair = this.#pairs.get(key) ?? {
      failures: 0,
      firstFailureMs: 0,
      pending: 0,
      pauseMs: 0,
      pausedUntilMs: -Infinity,
      trustedUntilMs: -Infinity,
    };
    this.#pairs.set(key, pair);
    return pair;
  }
}

function forgetOldFailures(pair: Pair, nowMs: number): void {
  const isPauseLongOver = nowMs - pair.pausedUntilMs > LONGEST_PAUSE_MS;
  if (pair.pauseMs > 0 && isPauseLongOver) {
    pair.pauseMs = 0;
    pair.failures = 0;
  }
  if (pair.pauseMs === 0 && nowMs - pair.firstFailureMs > FAILURES_WINDOW_MS) pair.failures = 0;
}

function countFailure(pair: Pair, nowMs: number): void {
  // Past failures of a trusted pair would pause it the moment its trust ends.
  if (nowMs < pair.trustedUntilMs) return;
  if (pair.failures === 0) pair.firstFailureMs = nowMs;
  pair.failures += 1;
  if (pair.failures < FAILURES_MAX) return;
  pair.pauseMs = pair.pauseMs === 0 ? FIRST_PAUSE_MS : Math.min(pair.pauseMs * 2, LONGEST_PAUSE_MS);
  pair.pausedUntilMs = nowMs + pair.pauseMs;
}

/** Returns what one attacker is likely to have to himself: an IPv4 address, or the /64 of an IPv6 one. */
export function addressGroup(address: string): string {
  const [bare = ""] = address.toLowerCase().split("%");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)?.[1];
  if (mapped !== undefined) return mapped;
  if (!bare.includes(":")) return bare;
  const [head = "", tail] = bare.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const gap = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...Array<string>(gap).fill("0"), ...back].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`;
}
