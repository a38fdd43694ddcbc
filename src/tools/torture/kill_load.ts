import { type ClientCall, type Endpoint, makeCall, type Seen } from "./client.ts";
import type { Random } from "./random.ts";
import type { Arrival } from "./upstream.ts";
import { errorAnswer, type Reported, streamAnswer, wholeAnswer } from "./upstream_answer.ts";

/** What calls are for, and how often. The name is part of the model's name. */
const KINDS = {
  whole: 6,
  embeddings: 3,
  stream: 6,
  silent: 2,
  cut: 2,
  wholeleft: 2,
  streamleft: 3,
  error400: 1,
  error429: 1,
  error500: 1,
};

export type Kind = keyof typeof KINDS;

/** How long an answer may take, in milliseconds. */
const PIECE_DELAY_MS_MAX = 12;
const PIECES_MAX = 12;

/** Returns what a call is for, by the name of its model. */
export function kindOf(model: string): Kind {
  return model.split("-")[2] as Kind;
}

/** Returns the tokens that the upstream reports for a call: each call has its own. */
export function reportedFor(model: string): Reported {
  const number = Number(model.split("-")[1]);
  const output = kindOf(model) === "embeddings" ? 0 : 1 + (number % 47);
  return { input: 5 + (number % 83), output };
}

/** Answers a call as its name asks. */
export async function answerLoad(arrival: Arrival): Promise<Response> {
  const kind = kindOf(arrival.model);
  const number = Number(arrival.model.split("-")[1]);
  const delayMs = number % PIECE_DELAY_MS_MAX;
  const reported = reportedFor(arrival.model);
  if (arrival.stream) {
    const pieces = 1 + (number % PIECES_MAX);
    const end = kind === "silent" || kind === "cut" ? kind : "usage";
    return streamAnswer(arrival, { reported, pieces, pieceDelayMs: delayMs, end });
  }
  await Bun.sleep(delayMs * 3);
  const status = /^error(\d+)$/.exec(kind)?.[1];
  return status === undefined ? wholeAnswer(arrival, reported) : errorAnswer(Number(status));
}

/** Clients that call one after the other until they are told to stop. */
export class Load {
  readonly seen: Seen[] = [];
  readonly #random: Random;
  readonly #clients: Promise<void>[];
  #nextNumber: number;
  #stopped = false;

  constructor(
    endpoints: readonly Endpoint[],
    clients: number,
    firstNumber: number,
    random: Random,
  ) {
    this.#random = random;
    this.#nextNumber = firstNumber;
    this.#clients = Array.from({ length: clients }, () => this.#run(random.pick(endpoints)));
  }

  /** The number of the next call. */
  get nextNumber(): number {
    return this.#nextNumber;
  }

  /** Makes no new calls, and resolves when those on their way have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }

  async #run(endpoint: Endpoint): Promise<void> {
    while (!this.#stopped) this.seen.push(await makeCall(endpoint, this.#call()));
  }

  #call(): ClientCall {
    const kind = this.#random.weighted(KINDS);
    const model = `m-${this.#nextNumber}-${kind}`;
    this.#nextNumber += 1;
    const stream = ["stream", "silent", "cut", "streamleft"].includes(kind);
    return {
      model,
      stream,
      operation: kind === "embeddings" ? "embeddings" : "chat",
      ...(kind.endsWith("left") ? { hangUpMs: this.#random.between(0, 40) } : {}),
    };
  }
}
