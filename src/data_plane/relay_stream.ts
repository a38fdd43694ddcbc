import type { Usage } from "../domain/usage.ts";
import { dataEvent, SseParser } from "../std/sse.ts";
import { type StreamTranslation, type Translation, UpstreamFault } from "../wire/translation.ts";
import type { Deps } from "./deps.ts";
import { endingOf, type Flight } from "./flight.ts";
import type { Observation } from "./observation.ts";
import { isErrorReport, type Outcome, type Settle, shownIn } from "./settle.ts";

/** How long a stream may be silent before the client is told that it lives, in milliseconds. */
const PING_AFTER_MS = 15_000;

/** How often what has passed is noted for the case of a crash, in milliseconds. */
const CHECKPOINT_MS = 5_000;

/** How long a provider may take to end a body whose last event has come, in milliseconds. */
const LEAVE_MS = 1_000;

/** Bounds a stream, in bytes, comments and all: one that never ends must not be paid for without end. */
const MAX_STREAM_BYTES = 256 << 20;

/** How much of a piece is translated at once, in bytes. What a client does not read is held in parts of this size. */
const PART_BYTES = 64 << 10;

/** A comment: clients skip it, and whatever stands between sees traffic. */
const PING = ": ping\n\n";

/** What a stream needs besides its bytes. */
export interface StreamOptions {
  readonly flight: Flight;
  readonly settle: Settle;
  /** Told when the first event comes, what goes wrong, and that the stream is over. */
  readonly observation: Pick<Observation, "firstChunk" | "failed" | "ended">;
  /** Returns the usage to report and charge when the provider reported none. */
  readonly estimate: (outcome: Outcome) => Usage;
  /** Notes in the ledger what the call has used so far. */
  readonly checkpoint: (outcome: Outcome) => void;
  /** Returns the JSON text of an error object for the client. */
  readonly errorText: (error: unknown) => string;
  /** Called once, just before the stream is closed. */
  readonly onEnd: () => void;
}

/** What a client is sent: text, or what passed without being decoded. */
type Output = string | Uint8Array;

/** The first output, when the client's headers go out before it has come. */
class Pending {
  readonly first: Promise<Output | null>;

  constructor(first: Promise<Output | null>) {
    this.first = first;
  }
}

/**
 * Relays one streamed answer: pieces in, events translated, text out, each as it arrives. It owns the
 * settlement from the moment it is opened.
 */
export class StreamRelay {
  readonly #reader;
  readonly #parser = new SseParser();
  readonly #translation: StreamTranslation;
  readonly #status: number;
  readonly #options: StreamOptions;
  readonly #deps: Pick<Deps, "clock" | "pulse">;
  /** When something came or was taken last. */
  #heardMs = 0;
  #wroteMs = 0;
  #checkpointMs = 0;
  #bytes = 0;
  /** What is left of a piece that is taken part by part. */
  #rest: Uint8Array | null = null;
  #running = false;
  /** Whether the next piece is waited for. */
  #reading = false;
  #complete = false;
  /** What ends the stream once the events before it are sent: they may have come in one piece. */
  #fault: unknown = null;

  constructor(
    upstream: Response,
    translation: Translation,
    options: StreamOptions,
    deps: Pick<Deps, "clock" | "pulse">,
  ) {
    this.#reader = bodyOf(upstream).getReader();
    this.#translation = translation.stream();
    this.#status = upstream.status;
    this.#options = options;
    this.#deps = deps;
  }

  /**
   * Reads until there is something for the client: an error that comes first can still be a status.
   *
   * @returns The body of the answer.
   * @throws {UpstreamFault} If the provider sent an error, or nothing of this wire.
   */
  async open(): Promise<ReadableStream<Uint8Array>> {
    const first = this.#first();
    try {
      // A provider that thinks in silence is waited for no longer than a client is left without a sign.
      return this.#body(await Promise.race([first, this.#silence(first)]));
    } catch (error) {
      const fault = this.#faultOf(error);
      this.#settle(fault);
      this.#cancel(fault);
      throw fault;
    }
  }

  /** Returns the first output that holds an event. */
  async #first(): Promise<Output | null> {
    for (;;) {
      let output = this.#atHand();
      if (output === undefined) output = this.#taken(await this.#read());
      if (output === null) return null;
      if (typeof output === "string" && !output.includes("data:")) continue;
      this.#options.observation.firstChunk();
      return output;
    }
  }

  /** Resolves once the client has waited for its headers long enough, with what is still to come. */
  #silence(first: Promise<Output | null>): Promise<Pending> {
    const sinceMs = this.#deps.clock.monotonicMs();
    return new Promise((resolve) => {
      const beat = (nowMs: number) => {
        if (nowMs - sinceMs >= PING_AFTER_MS) resolve(new Pending(first));
      };
      this.#deps.pulse.add(beat);
      const remove = () => this.#deps.pulse.remove(beat);
      first.then(remove, remove);
    });
  }

  #body(first: Output | null | Pending): ReadableStream<Uint8Array> {
    // A client that leaves now never asks for the body, and nothing else would end the call.
    const { signal } = this.#options.flight;
    if (signal.aborted) throw signal.reason;
    signal.addEventListener("abort", () => this.#abandon(signal.reason), { once: true });
    const pull = (controller: ReadableStreamDirectController) => this.#run(controller, first);
    return new ReadableStream({ type: "direct", pull });
  }

  async #run(
    controller: ReadableStreamDirectController,
    first: Output | null | Pending,
  ): Promise<void> {
    this.#running = true;
    const beat = (nowMs: number) => this.#beat(nowMs, controller);
    this.#heardMs = this.#wroteMs = this.#checkpointMs = this.#deps.clock.monotonicMs();
    this.#deps.pulse.add(beat);
    try {
      if (first instanceof Pending) await this.#write(controller, PING);
      await this.#relay(controller, first instanceof Pending ? await first.first : first);
    } catch (error) {
      const fault = this.#faultOf(error);
      this.#settle(fault);
      this.#sendError(controller, fault);
    } finally {
      this.#deps.pulse.remove(beat);
      this.#options.onEnd();
      this.#options.observation.ended();
      controller.close();
      this.#leave();
    }
  }

  /** Sends everything on, from its first part to its last. It waits for nothing but the next piece and the client. */
  async #relay(controller: ReadableStreamDirectController, first: Output | null): Promise<void> {
    let output: Output | null | undefined = first;
    while (output !== null) {
      const stall = output === "" ? null : this.#write(controller, output);
      if (stall !== null) await stall;
      output = this.#atHand();
      // Waited for here and in no function of its own: that would be another promise for every chunk.
      if (output === undefined) output = this.#taken(await this.#read());
    }
  }

  /** Returns what comes next for the client, perhaps nothing yet; null after the end, undefined if a piece must be read. */
  #atHand(): Output | null | undefined {
    if (this.#complete) return null;
    if (this.#fault !== null) throw this.#fault;
    if (this.#translation.done) return this.#end();
    return this.#rest === null ? undefined : this.#part(this.#rest);
  }

  #read() {
    this.#reading = true;
    return this.#reader.read();
  }

  /** Returns what was read gives the client. */
  #taken({ value }: { readonly value?: Uint8Array | undefined }): Output {
    this.#reading = false;
    return value === undefined ? this.#end() : this.#piece(value);
  }

  /** Returns what went wrong: reading fails only when a body cannot be read to its end. */
  #faultOf(error: unknown): unknown {
    return this.#reading ? this.#cut() : error;
  }

  /** Returns the end of the answer, and settles the call. */
  #end(): string {
    const rest = this.#translation.end(() => this.#options.estimate(this.#outcome("completed")));
    this.#complete = true;
    this.#settle(null);
    return rest;
  }

  /** Returns what a piece gives the client. */
  #piece(piece: Uint8Array): Output {
    this.#heardMs = this.#options.flight.heard();
    this.#bytes += piece.byteLength;
    if (this.#bytes > MAX_STREAM_BYTES) throw tooLong("The provider does not end its answer");
    return this.#part(piece);
  }

  /** Returns why a body cannot be read to its end. */
  #cut(): unknown {
    const { signal } = this.#options.flight;
    if (signal.aborted) return signal.reason;
    return new UpstreamFault("The provider cut its answer off", { interrupted: true });
  }

  #part(piece: Uint8Array): Output {
    const isLast = piece.byteLength <= PART_BYTES;
    this.#rest = isLast ? null : piece.subarray(PART_BYTES);
    return this.#translate(isLast ? piece : piece.subarray(0, PART_BYTES));
  }

  #translate(piece: Uint8Array): Output {
    const known = this.#parser.isBetweenEvents ? this.#translation.known?.(piece) : null;
    if (known) return known;
    let text = "";
    try {
      for (const event of this.#parser.push(piece)) text += this.#translation.push(event);
    } catch (error) {
      const fault = error instanceof RangeError ? tooLong(error.message) : error;
      if (text === "") throw fault;
      this.#fault = fault;
    }
    return text;
  }

  /** Sends output on. Returns what to wait for if the client does not take it, else null. */
  #write(controller: ReadableStreamDirectController, output: Output): Promise<void> | null {
    const written = controller.write(output);
    if (typeof written !== "number") return this.#stall(written);
    const { signal } = this.#options.flight;
    if (signal.aborted) throw signal.reason;
    this.#wroteMs = this.#heardMs;
    return null;
  }

  /** Waits until the client takes what it is sent, or somebody gives up. */
  async #stall(written: Promise<number>): Promise<void> {
    const { flight } = this.#options;
    flight.clientStalls();
    await Promise.race([written, this.#aborted()]);
    if (flight.signal.aborted) throw flight.signal.reason;
    this.#wroteMs = this.#heardMs = flight.heard();
  }

  #beat(nowMs: number, controller: ReadableStreamDirectController): void {
    if (nowMs - this.#wroteMs >= PING_AFTER_MS) {
      this.#wroteMs = nowMs;
      void controller.write(PING);
    }
    if (nowMs - this.#checkpointMs >= CHECKPOINT_MS) {
      this.#checkpointMs = nowMs;
      this.#options.checkpoint(this.#outcome("completed"));
    }
  }

  #abandon(reason: unknown): void {
    if (this.#running) return;
    this.#settle(reason);
    this.#cancel(reason);
    this.#options.onEnd();
    this.#options.observation.ended();
  }

  #settle(error: unknown): void {
    if (error !== null) this.#options.observation.failed(error, this.#running);
    const ending = error === null ? "completed" : endingOf(error);
    const outcome = this.#outcome(ending);
    const outputBytes = Math.max(this.#translation.outputBytes, shownIn(error));
    // An error as the first event is a refusal; what was generated before a later one is charged.
    const generated = outputBytes > 0 || !isErrorReport(error);
    this.#options.settle({ ...outcome, outputBytes, generated });
  }

  #outcome(ending: Outcome["ending"]): Outcome {
    const { usage, servedModel, outputBytes } = this.#translation;
    const upstreamStatus = this.#status;
    return { ending, upstreamStatus, servedModel, usage, outputBytes, generated: true };
  }

  /** Resolves when somebody gives the call up: a client that reads nothing must not keep it for ever. */
  #aborted(): Promise<void> {
    const { signal } = this.#options.flight;
    return new Promise((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  #sendError(controller: ReadableStreamDirectController, error: unknown): void {
    // A client that is gone reads nothing.
    if (endingOf(error) === "client_closed") return;
    void controller.write(dataEvent(`{"error":${this.#options.errorText(error)}}`));
  }

  /** Lets the connection be used again if the body ends by itself in time, and drops it if not. */
  #leave(): void {
    const { signal } = this.#options.flight;
    if (signal.aborted || !this.#translation.done) return this.#cancel(signal.reason);
    const { clock, pulse } = this.#deps;
    const sinceMs = clock.monotonicMs();
    const beat = (nowMs: number) => {
      if (nowMs - sinceMs >= LEAVE_MS) this.#cancel(null);
    };
    pulse.add(beat);
    const left = () => pulse.remove(beat);
    this.#reader.read().then(({ done }) => {
      left();
      if (!done) this.#cancel(null);
    }, left);
  }

  #cancel(reason: unknown): void {
    this.#reader.cancel(reason).catch(() => {});
  }
}

function tooLong(message: string): UpstreamFault {
  return new UpstreamFault(message, { interrupted: true });
}

function bodyOf(upstream: Response): ReadableStream<Uint8Array> {
  if (upstream.body === null) throw new UpstreamFault("The provider sent no body");
  return upstream.body;
}
