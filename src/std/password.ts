import { BoundedMap } from "./bounded_map.ts";
import type { Clock } from "./clock.ts";
import { lengthPrefixed } from "./length_prefixed.ts";

/** Hashes computed at a time: each takes 64 MiB and a thread that files and ciphers share. */
const CONCURRENCY_MAX = 2;

/** Hashes that may wait for their turn. */
const QUEUE_MAX = 32;

/** How long a hash may wait, in milliseconds: connections are given up that are idle for twice as long. */
const WAIT_MS_MAX = 5_000;

/** How long a right password is remembered, and how many. */
const REMEMBERED_MS = 60_000;
const REMEMBERED_MAX = 1000;

/** The hash of a password that nobody knows: an unknown user must take as long as a known one. */
const DECOY =
  "$argon2id$v=19$m=65536,t=2,p=1$MUVakfCfYQCqt2heJXhUE44JAxFTF9azkZPw9BZTnm4$kivTMuzgMHSu4bbHDNxkAxCVc/b6jbudYqL2g6RUR9s";

/** Too many passwords wait to be hashed. */
export class PasswordsBusyError extends Error {
  constructor() {
    super("Cannot hash password: too many others are waiting");
  }
}

export interface PasswordAttempt {
  readonly user: string;
  readonly password: string;
  /** The stored hash; null if there is no such user. */
  readonly hash: string | null;
}

/** Somebody who waits for a turn. */
interface Waiting {
  readonly sinceMs: number;
  readonly take: () => void;
  readonly giveUp: (error: PasswordsBusyError) => void;
}

/** Hashes and verifies passwords with argon2id, a few at a time. */
export class Passwords {
  readonly #clock: Clock;
  readonly #cacheKey = crypto.getRandomValues(new Uint8Array(32));
  /** When what was verified is forgotten, on the monotonic clock. */
  readonly #verified = new BoundedMap<string, number>(REMEMBERED_MAX);
  readonly #waiting: Waiting[] = [];
  #running = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns the hash of a password, to be stored. @throws {PasswordsBusyError} */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => Bun.password.hash(password, "argon2id"));
  }

  /**
   * Whether this is the user's password. A right one is remembered for a minute under its stored hash, so a
   * changed hash never meets an old answer.
   *
   * @throws {PasswordsBusyError}
   */
  async verify({ user, password, hash }: PasswordAttempt): Promise<boolean> {
    if (hash === null) {
      await this.#inTurn(() => Bun.password.verify(password, DECOY));
      return false;
    }
    const key = this.#fingerprint(user, password, hash);
    if ((this.#verified.get(key) ?? -Infinity) > this.#clock.monotonicMs()) return true;
    const right = await this.#inTurn(() => Bun.password.verify(password, hash));
    if (right) this.#verified.set(key, this.#clock.monotonicMs() + REMEMBERED_MS);
    return right;
  }

  /** What memory keeps instead of the password: useless without a key that this process made up. */
  #fingerprint(user: string, password: string, hash: string): string {
    const hmac = new Bun.CryptoHasher("sha256", this.#cacheKey);
    return hmac.update(lengthPrefixed(user, password, hash)).digest("base64");
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running >= CONCURRENCY_MAX) {
      if (this.#waiting.length >= QUEUE_MAX) throw new PasswordsBusyError();
      const sinceMs = this.#clock.monotonicMs();
      await new Promise<void>((take, giveUp) => this.#waiting.push({ sinceMs, take, giveUp }));
    } else {
      this.#running += 1;
    }
    try {
      return await work();
    } finally {
      this.#passOn();
    }
  }

  /** The turn passes on without being given back, or a newcomer could take it in between. */
  #passOn(): void {
    const nowMs = this.#clock.monotonicMs();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (nowMs - next.sinceMs <= WAIT_MS_MAX) return next.take();
      next.giveUp(new PasswordsBusyError());
    }
    this.#running -= 1;
  }
}
