import { type Credentials, signIn } from "./sign_in.ts";

/** One who guesses the password of somebody, from one address. */
const GUESSERS = 4;
const GUESSER_ADDRESS = "127.0.0.3";
const GUESSED_USER = "admin";

/** Many who try names that nobody has, from many addresses: more at a time than may wait for a hash. */
const CROWD = 40;
const CROWD_ADDRESSES = 200;

/** Between two attempts of one connection, in milliseconds: altogether some fifty a second. */
const PAUSE_MS = 800;

/** How many wrong passwords of one user from one address are looked at before there is a pause. */
const FAILURES_MAX = 5;

/** What those who sign in with wrong passwords may be answered: no, not so often, not now. */
const REFUSALS = [401, 429, 503];

/** Wrong passwords from many connections, until it is stopped. */
export class Flood {
  readonly #port: number;
  readonly #guessed = new Map<number, number>();
  readonly #crowded = new Map<number, number>();
  readonly #running: Promise<unknown>;
  #stopped = false;

  constructor(port: number) {
    this.#port = port;
    const guessers = Array.from({ length: GUESSERS }, (_, index) => this.#guess(index));
    const crowd = Array.from({ length: CROWD }, (_, index) => this.#crowd(index));
    this.#running = Promise.all([...guessers, ...crowd]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Says which sign-ins were answered otherwise than they may be. */
  faults(): string[] {
    const statuses = new Set([...this.#guessed.keys(), ...this.#crowded.keys()]);
    const looked = this.#guessed.get(401) ?? 0;
    return [
      ...[...statuses]
        .filter((status) => !REFUSALS.includes(status))
        .map((status) => `a wrong password was answered ${status}`),
      ...(looked > FAILURES_MAX
        ? [`${looked} passwords of one user were looked at for one address`]
        : []),
      ...((this.#guessed.get(429) ?? 0) === 0 ? ["nobody was told to wait"] : []),
      ...((this.#crowded.get(401) ?? 0) === 0 ? ["no password was looked at"] : []),
    ];
  }

  figures(): string {
    return `one guesser answered ${shown(this.#guessed)}, a crowd ${shown(this.#crowded)}`;
  }

  async #guess(index: number): Promise<void> {
    for (let number = 0; !this.#stopped; number += 1) {
      const password = `guess-${index}-${number}-`;
      await this.#try(GUESSER_ADDRESS, { user: GUESSED_USER, password }, this.#guessed);
    }
  }

  async #crowd(index: number): Promise<void> {
    for (let number = 0; !this.#stopped; number += 1) {
      const address = `127.0.1.${1 + ((index + number * CROWD) % CROWD_ADDRESSES)}`;
      const user = `nobody-${index}-${number}`;
      await this.#try(address, { user, password: "password-of-nobody" }, this.#crowded);
    }
  }

  async #try(localAddress: string, credentials: Credentials, seen: Map<number, number>) {
    const status = await signIn({ port: this.#port, localAddress }, credentials);
    seen.set(status, (seen.get(status) ?? 0) + 1);
    await Bun.sleep(PAUSE_MS);
  }
}

function shown(seen: ReadonlyMap<number, number>): string {
  const statuses = [...seen].toSorted(([one], [other]) => one - other);
  return statuses.map(([status, count]) => `${status}: ${count}`).join(", ");
}
