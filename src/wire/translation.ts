import type { Usage } from "../domain/usage.ts";
import type { JsonObject } from "../std/json.ts";
import type { Span } from "../std/json_text.ts";
import type { SseEvent } from "../std/sse.ts";

/** A client's request as the translators see it. They never change `body`: a retry may use it again. */
export interface ClientRequest {
  /** The body's bytes as text: valid JSON, one object, no member named twice, depth bounded. */
  readonly text: string;
  /** The same, parsed. */
  readonly body: JsonObject;
  /** Where the members of `text` stand: what `scanObject` found in it. */
  readonly members: ReadonlyMap<string, Span>;
  /** The model as the client named it, such as `openai/gpt-5`. Every answer says this one. */
  readonly requestedModel: string;
  /** The model as the provider knows it. */
  readonly upstreamModel: string;
  /** Whether the client asked for `stream: true`. */
  readonly stream: boolean;
  /** Whether the client asked for `stream_options.include_usage: true`. */
  readonly includeUsage: boolean;
  /** Identifies the call; answers that lack an id are given `chatcmpl-<callId>`. */
  readonly callId: string;
  /** Unix seconds, for answers that lack a time of their own. */
  readonly createdS: number;
  /** Turns a client's name for an end user into an opaque one that is stable within the organization. */
  readonly pseudonym: (name: string) => string;
}

/** How one call goes upstream and how its answer comes back. Pure: no I/O, no clock. */
export interface Translation {
  /** The request body for the provider, as JSON text. */
  readonly upstreamBody: string;
  /** The output tokens that the provider is told to stop at; null if the request says it itself, or nothing does. */
  readonly outputTokensMax: number | null;
  /** Top-level fields left out, for `x-inference-dropped-params`. */
  readonly dropped: readonly string[];
  /**
   * Translates a whole successful answer.
   *
   * @throws {UpstreamFault} If the body is no answer of this wire, or an error in the guise of one.
   */
  whole(text: string): WholeAnswer;
  /** Begins the translation of a streamed successful answer. */
  stream(): StreamTranslation;
}

export interface WholeAnswer {
  /** JSON text for the client. */
  readonly clientBody: string;
  /** Null if the provider reported none. */
  readonly usage: Usage | null;
  /** The model that the provider says it used; null if it said none. */
  readonly servedModel: string | null;
  /** Bytes of generated text, tool arguments and reasoning, as UTF-8: the base of an estimate. */
  readonly outputBytes: number;
}

/** Translates one stream, fed event by event. What it reports grows while it is fed. */
export interface StreamTranslation {
  readonly usage: Usage | null;
  readonly servedModel: string | null;
  readonly outputBytes: number;
  /** Whether the terminal event has come: what follows is not read, `end` may be called. */
  readonly done: boolean;
  /**
   * Takes one upstream event and returns the text to send on, which may be empty: whole events or comments.
   *
   * @throws {UpstreamFault} If the event is an error, or not of this wire.
   */
  push(event: SseEvent): string;
  /**
   * Takes bytes that may be one whole event like those before it, and returns what to send on, which holds until the
   * next one is taken. A short cut: null if they are anything else, then nothing has changed and they have to be parsed.
   */
  known?(piece: Uint8Array): Uint8Array | null;
  /**
   * Takes the end of the upstream body and returns the rest of the client's stream, `[DONE]` included.
   *
   * @param estimate Usage to report if the provider gave none.
   * @throws {UpstreamFault} If the provider stopped before its terminal event.
   */
  end(estimate: () => Usage): string;
}

/** What went wrong upstream, in the terms of the client's wire. Raised before or inside a stream. */
export class UpstreamFault extends Error {
  /** The HTTP status that the provider gave, or that its error type stands for; null if there is none. */
  readonly status: number | null;
  /** The provider's own error type and code, where it gave them. */
  readonly type: string | null;
  readonly code: string | null;
  /** What the provider sent, parsed if it was JSON; null if there is nothing to show. Not yet sanitised. */
  readonly body: unknown;
  /** Whether the connection or body ended early, rather than the provider reporting an error. */
  readonly interrupted: boolean;

  constructor(message: string, fault: Partial<Omit<UpstreamFault, keyof Error>> = {}) {
    super(message);
    this.status = fault.status ?? null;
    this.type = fault.type ?? null;
    this.code = fault.code ?? null;
    this.body = fault.body ?? null;
    this.interrupted = fault.interrupted ?? false;
  }
}
