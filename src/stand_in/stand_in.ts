import { type JsonObject, parseJsonObject } from "../std/json.ts";
import { type Answer, answerTo, errorOf } from "./answer.ts";
import { pacedBody, type Pieces } from "./paced_body.ts";
import type { Refusal } from "./refusal.ts";
import { PREFIXES, type Route, routeOf, type Speaker } from "./routes.ts";
import { type Turn, turnFor } from "./turn.ts";

/** A request as it arrived. */
export interface ReceivedRequest {
  readonly method: string;
  /** The path and what follows it. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body parsed; null if it is no JSON object. */
  readonly json: JsonObject | null;
  /** Is resolved when the client hangs up before its answer has ended. */
  readonly hungUp: Promise<void>;
}

export interface StandInOptions {
  /** Any free port by default. */
  readonly port?: number;
  /** The pause before each piece of a stream, so that people see it arrive. */
  readonly pieceDelayMs?: number;
}

/** A running stand-in for every provider. */
export interface StandIn {
  readonly url: string;
  /** The address alone, as `--allow-upstream` takes it. */
  readonly address: string;
  /** The base URL to configure for each provider. */
  readonly baseUrls: Readonly<Record<Speaker, string>>;
  /** The last requests, oldest first. */
  readonly requests: readonly ReceivedRequest[];
  /** How many requests have come, those that are no longer kept included. */
  readonly count: number;
  /** Decides what happens to the next request that is sound; further calls queue up behind. */
  next(turn: Turn): void;
  stop(): Promise<void>;
}

/** Bounds the requests kept for inspection. */
const REQUESTS_KEPT = 1000;

/**
 * Starts a server on loopback that stands in for OpenAI, Azure OpenAI, Mistral and Groq on the OpenAI wire and for
 * Anthropic on its own. It answers every model, and refuses what the real one would refuse.
 */
export function startStandIn(options: StandInOptions = {}): StandIn {
  const requests: ReceivedRequest[] = [];
  const turns: Turn[] = [];
  let count = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: options.port ?? 0,
    // A stream may pause for as long as a test wants.
    idleTimeout: 0,
    reusePort: false,
    development: false,
    async fetch(request) {
      const received = await receive(request);
      count += 1;
      requests.push(received);
      if (requests.length > REQUESTS_KEPT) requests.shift();
      return respond(request, received, () => turns.shift(), options.pieceDelayMs ?? 0);
    },
  });
  const address = `127.0.0.1:${server.port}`;
  const url = `http://${address}`;
  const at = (speaker: Speaker) => url + PREFIXES[speaker];
  return {
    url,
    address,
    baseUrls: {
      openai: at("openai"),
      anthropic: at("anthropic"),
      mistral: at("mistral"),
      groq: at("groq"),
      azure: at("azure"),
    },
    requests,
    get count() {
      return count;
    },
    next: (turn) => void turns.push(turn),
    stop: () => server.stop(true),
  };
}

async function receive(request: Request): Promise<ReceivedRequest> {
  const { pathname, search } = new URL(request.url);
  const body = await request.text();
  return {
    method: request.method,
    path: pathname + search,
    headers: Object.fromEntries(request.headers),
    body,
    json: parseJsonObject(body),
    hungUp: new Promise((resolve) => {
      request.signal.addEventListener("abort", () => resolve(), { once: true });
    }),
  };
}

async function respond(
  request: Request,
  received: ReceivedRequest,
  queued: () => Turn | undefined,
  pieceDelayMs: number,
): Promise<Response> {
  const route = routeOf(request);
  if (route === null) return Response.json({ error: { message: "Not Found" } }, { status: 404 });
  const answer = answerTo(route, request.headers, received.json);
  if (route.operation === "models") return send(answer, {}, pieceDelayMs);
  const model = received.json?.model ?? route.deployment;
  const own = typeof model === "string" ? turnFor(model) : {};
  const turn = "refusal" in answer ? own : (queued() ?? own);
  await turn.until;
  if (turn.delayMs !== undefined) await Bun.sleep(turn.delayMs);
  return send(directed(route, answer, turn), turn, turn.pieceDelayMs ?? pieceDelayMs);
}

/** What is sent in the end: the usual answer unless the turn has one of its own. */
function directed(route: Route, answer: Answer, turn: Turn): Answer | { pieces: Pieces } {
  if (turn.pieces !== undefined) return { pieces: turn.pieces };
  if (typeof turn.body === "string") return { pieces: [turn.body] };
  if (turn.body !== undefined) return { whole: turn.body };
  if (turn.status === undefined || turn.status < 400) return answer;
  return { refusal: errorOf(route, turn.status, `The stand-in was asked for a ${turn.status}`) };
}

function send(answer: Answer | { pieces: Pieces }, turn: Turn, pieceDelayMs: number): Response {
  const refusal: Refusal | null = "refusal" in answer ? answer.refusal : null;
  const stream = "events" in answer || "pieces" in answer;
  const headers = {
    "content-type": stream ? "text/event-stream; charset=utf-8" : "application/json",
    "x-request-id": "req_standin",
    ...refusal?.headers,
    ...turn.headers,
  };
  const init = { status: refusal?.status ?? turn.status ?? 200, headers };
  const pace = { pieceDelayMs, cutAfterBytes: turn.cutAfterBytes ?? null };
  if ("events" in answer) return new Response(pacedBody(answer.events, pace), init);
  if ("pieces" in answer) return new Response(pacedBody(answer.pieces, pace), init);
  const text = JSON.stringify("refusal" in answer ? answer.refusal.body : answer.whole);
  if (turn.cutAfterBytes !== undefined) return new Response(pacedBody([text], pace), init);
  return new Response(text, init);
}
