import { parseJsonObject } from "../../std/json.ts";

/** One request as the upstream's own book has it. */
export interface Arrival {
  /** The model asked for, which is the name of the call. */
  readonly model: string;
  readonly stream: boolean;
  readonly operation: "chat" | "embeddings";
  readonly arrivedMs: number;
}

/** Decides what an arrival is answered. */
export type Respond = (arrival: Arrival) => Response | Promise<Response>;

/** A provider on loopback that writes down what reached it. */
export interface Upstream extends AsyncDisposable {
  /** As `--allow-upstream` takes it. */
  readonly address: string;
  /** What arrived since the book was last taken, in order. */
  readonly arrivals: readonly Arrival[];
  /** Returns what arrived and begins a new page. */
  takeArrivals(): Arrival[];
  /** Called at each arrival, after it was written down and before it is answered. */
  onArrival: (count: number) => void;
}

/** Starts an upstream. */
export function startUpstream(respond: Respond): Upstream {
  let arrivals: Arrival[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    development: false,
    async fetch(request) {
      // A request that was cut off before its end names no call, and nothing can have come of it.
      const body = parseJsonObject(await request.text().catch(() => ""));
      const model = body?.["model"];
      if (typeof model !== "string") return new Response(null, { status: 400 });
      const arrival: Arrival = {
        model,
        stream: body?.["stream"] === true,
        operation: request.url.endsWith("/embeddings") ? "embeddings" : "chat",
        arrivedMs: performance.now(),
      };
      arrivals.push(arrival);
      upstream.onArrival(arrivals.length);
      return respond(arrival);
    },
  });
  const upstream: Upstream = {
    address: `127.0.0.1:${server.port}`,
    get arrivals() {
      return arrivals;
    },
    takeArrivals: () => {
      const taken = arrivals;
      arrivals = [];
      return taken;
    },
    onArrival: () => {},
    [Symbol.asyncDispose]: () => server.stop(true),
  };
  return upstream;
}
