import type { JsonObject } from "../std/json.ts";
import type { Pieces } from "./paced_body.ts";

/** What is to happen to one request instead of, or on top of, the usual answer. */
export interface Turn {
  /** Answers with this status; without a body of its own, an error in the provider's shape. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Answers with this text or JSON. */
  readonly body?: string | JsonObject;
  /** Answers with these pieces, one network write each. Whoever makes them decides when. */
  readonly pieces?: Pieces;
  /** How long to wait before the answer begins. */
  readonly delayMs?: number;
  /** What to wait for before the answer begins. */
  readonly until?: Promise<unknown>;
  /** The pause before each piece of a stream. */
  readonly pieceDelayMs?: number;
  /** Cuts the connection after this many bytes of the body. */
  readonly cutAfterBytes?: number;
}

/** Enough of a stream for a client to have seen some tokens and no end. */
const CUT_OFF_BYTES = 1200;

/** Returns what the model's name asks for: `error-429` an error with that status, `cut-off` a cut connection. */
export function turnFor(model: string): Turn {
  const status = /(?:^|\/)error-([45]\d\d)$/.exec(model)?.[1];
  if (status === "429") return { status: 429, headers: { "retry-after": "1" } };
  if (status !== undefined) return { status: Number(status) };
  return model.endsWith("cut-off") ? { cutAfterBytes: CUT_OFF_BYTES } : {};
}
