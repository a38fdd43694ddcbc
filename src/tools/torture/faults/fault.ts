import type { Fate } from "./fate.ts";
import type { Steps } from "./fault_proxy.ts";

/** A way to spoil an answer, and what may become of the call. */
export interface Fault {
  readonly name: string;
  /** Which answers it can be done to; all if absent. */
  readonly only?: "whole" | "stream";
  readonly steps: Steps;
  /** Whether it lasts until a timeout of the proxy. Absent if not. */
  readonly lasting?: true;
  /** What the client may see; anything else is a broken promise. */
  readonly fates: readonly Fate[];
  /** What the client of a stream may see, if it is something else: a stream says itself where it ends. */
  readonly streamFates?: readonly Fate[];
}

/** The provider has failed, and nothing can be saved. */
export const LOST: readonly Fate[] = ["refused", "broken"];

/** Whether the runtime's reader of HTTP takes it is its own affair, as long as the client is told the truth. */
export const EITHER: readonly Fate[] = ["complete", "refused", "broken"];

/** It does no harm. */
export const HARMLESS: readonly Fate[] = ["complete"];
