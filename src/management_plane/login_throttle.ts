import { BoundedMap } from "../std/bounded_map.ts";
import type { Clock } from "../std/clock.ts";
import { type BucketSize, TokenBucket } from "../std/token_bucket.ts";

/** Failures of a pair within this time that bring a pause. */
const FAILURES_MAX = 5;
const FAILURES_WINDOW_MS = 5 * 60_000;

/** The first pause; each failure after it doubles the next, up to the longest. */
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 15 * 60_000;

/** How long a pair that has signed in is not throttled: or others could lock its owner out. */
const TRUSTED_MS = 24 * 3_600_000;

/** Failures of one address, whatever user they are about: people share addresses, guessers try many users. */
const ADDRESS_FAILURES: BucketSize = { burst: 50, refillMs: 10_000 };

/** Failures of everybody: guessers have many addresses too. */
const ALL_FAILURES: BucketSize = { burst: 1000, refillMs: 1000 };

/** How long to wait where an attempt's outcome must be known first. */
const OUTCOME_WAIT_MS = 1000;

/** Bounds what is remembered: pairs that failed, pairs that are trusted, and addresses, of each. */
const REMEMBERED_MAX = 10_000;

/** What is remembered of a user at an address. Times are on the monotonic clock. */
interface Pair {
  failures: number;
  firstFailureMs: number;
  pauseMs: number;
  pausedUntilMs: number;
}

/** An attempt to sign in that was let through. Exactly one of these ends it. */
export interface Attempt {
  succeeded(): void;
  failed(): void;
  /** Nobody looked at the password. */
  abandoned(): void;
}

/** Slows down guessing of passwords: per user and address, per address, and altogether. */
export class LoginThrottle {
  readonly #clock: Clock;
  /** Those that have failed: who was only refused crowds nobody out. */
  readonly #pairs = new BoundedMap<string, Pair>(REMEMBERED_MAX);
  /** How many attempts of a pair have no outcome yet: they count, or many at once would pass together. */
  readonly #pending = new Map<string, number>();
  /** Until when pairs are trusted. Apart from the others: only who knows a password can crowd somebody out. */
  readonly #trusted = new BoundedMap<string, number>(REMEMBERED_MAX);
  #addresses = new BoundedMap<string, TokenBucket>(REMEMBERED_MAX);
  #all: TokenBucket;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#all = new TokenBucket(clock, ALL_FAILURES);
  }

  /** Lets an attempt through, or returns for how many milliseconds none is. `user` is folded. */
  attempt(user: string, address: string): Attempt | number {
    const group = addressGroup(address);
    const key = pairKey(user, group);
    if (this.#isTrusted(key)) return this.#trustedAttempt(key);
    const pending = this.#pending.get(key) ?? 0;
    const waitMs = pairWaitMs(this.#pairs.get(key), pending, this.#clock.monotonicMs());
    if (waitMs > 0) return waitMs;
    const budget = this.#takeFromBudgets(group);
    if (typeof budget === "number") return budget;
    this.#pending.set(key, pending + 1);
    return {
      succeeded: () => {
        this.#ended(key);
        budget.putBack();
        this.#pairs.delete(key);
        this.#trust(key);
      },
      failed: () => {
        this.#ended(key);
        this.#failed(key);
      },
      abandoned: () => {
        this.#ended(key);
        budget.putBack();
      },
    };
  }

  /**
   * Forgets the failures of a user. Those of addresses and of everybody go too: one of them may be what keeps the
   * user out, and guessers gain a few attempts. `user` is folded.
   */
  unlock(user: string): void {
    for (const key of this.#pairs.keys())
      if (key.startsWith(pairKey(user, ""))) this.#pairs.delete(key);
    this.#addresses = new BoundedMap(REMEMBERED_MAX);
    this.#all = new TokenBucket(this.#clock, ALL_FAILURES);
  }

  #ended(key: string): void {
    const left = (this.#pending.get(key) ?? 1) - 1;
    if (left > 0) this.#pending.set(key, left);
    else this.#pending.delete(key);
  }

  #failed(key: string): void {
    // Past failures of a trusted pair would pause it the moment its trust ends.
    if (this.#isTrusted(key)) return;
    const pair = this.#pairs.get(key) ?? newPair();
    countFailure(pair, this.#clock.monotonicMs());
    this.#pairs.set(key, pair);
  }

  #isTrusted(key: string): boolean {
    return this.#clock.monotonicMs() < (this.#trusted.get(key) ?? -Infinity);
  }

  #trust(key: string): void {
    this.#trusted.set(key, this.#clock.monotonicMs() + TRUSTED_MS);
  }

  #trustedAttempt(key: string): Attempt {
    return { succeeded: () => this.#trust(key), failed: () => {}, abandoned: () => {} };
  }

  /** Takes the failure that an attempt may turn out to be, or returns how long there is room for none. */
  #takeFromBudgets(group: string): { readonly putBack: () => void } | number {
    const all = this.#all;
    const address = this.#addresses.get(group) ?? new TokenBucket(this.#clock, ADDRESS_FAILURES);
    const addressWaitMs = address.take();
    if (addressWaitMs > 0) return addressWaitMs;
    const allWaitMs = all.take();
    if (allWaitMs > 0) {
      address.putBack();
      return allWaitMs;
    }
    this.#addresses.set(group, address);
    return {
      putBack: () => {
        address.putBack();
        all.putBack();
      },
    };
  }
}

function pairKey(user: string, group: string): string {
  // Neither holds a control character.
  return `${user}\n${group}`;
}

function newPair(): Pair {
  return { failures: 0, firstFailureMs: 0, pauseMs: 0, pausedUntilMs: -Infinity };
}

function pairWaitMs(pair: Pair | undefined, pending: number, nowMs: number): number {
  if (pair === undefined) return pending >= FAILURES_MAX ? OUTCOME_WAIT_MS : 0;
  if (nowMs < pair.pausedUntilMs) return pair.pausedUntilMs - nowMs;
  forgetOldFailures(pair, nowMs);
  const room = pair.pauseMs > 0 ? 1 : FAILURES_MAX - pair.failures;
  return pending >= room ? OUTCOME_WAIT_MS : 0;
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
