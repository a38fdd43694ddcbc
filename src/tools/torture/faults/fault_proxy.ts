import { type RawRequest, type RawUpstream, startRawUpstream } from "../raw_upstream.ts";
import type { UpstreamConnection } from "../raw_upstream.ts";
import { asSent, captureAnswer, type CapturedAnswer } from "./captured_answer.ts";

/**
 * One thing that happens on the way back: bytes are sent, time passes, the connection ends on both sides, on the
 * side that sends, or by a reset. After the last step it stays as it is.
 */
export type Step = Uint8Array | { readonly waitMs: number } | "close" | "finish" | "reset";

/** Turns an answer into what is sent instead, perhaps without end. */
export type Steps = (answer: CapturedAnswer, request: RawRequest) => Iterable<Step>;

/** Stands between the proxy and the stand-in, and spoils answers. */
export interface FaultProxy extends RawUpstream {
  /** What happens to the answer of a call, by its name. Others pass as they are. */
  readonly faults: Map<string, Steps>;
  /** How connections end as soon as the head of a request is there; null if they do not. */
  early: "close" | "reset" | null;
}

/** Starts a fault proxy in front of a port of loopback. */
export async function startFaultProxy(upstreamPort: number): Promise<FaultProxy> {
  const faults = new Map<string, Steps>();
  const upstream = await startRawUpstream({
    serve: async (request, connection) => {
      const answer = await captureAnswer(upstreamPort, request.bytes);
      const steps = faults.get(request.model) ?? unchanged;
      await play(steps(answer, request), connection);
    },
    atHead: (connection) => {
      if (proxy.early === null) return false;
      connection[proxy.early]();
      return true;
    },
  });
  const proxy: FaultProxy = Object.assign(upstream, { faults, early: null });
  return proxy;
}

/** Passes an answer as it is. */
export function* unchanged(answer: CapturedAnswer): Generator<Step> {
  yield asSent(answer);
}

async function play(steps: Iterable<Step>, connection: UpstreamConnection): Promise<void> {
  for (const step of steps) {
    if (connection.isClosed) return;
    if (typeof step === "string") connection[step]();
    else if (step instanceof Uint8Array) await connection.write(step);
    else await pause(step.waitMs);
  }
}

/** Without a time, waits only until what was written has left. */
function pause(waitMs: number): Promise<unknown> {
  return waitMs === 0 ? new Promise((resolve) => setImmediate(resolve)) : Bun.sleep(waitMs);
}
