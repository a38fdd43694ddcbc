import { join } from "node:path";

/** A process of this program: it is sent messages and answers each by one. */
export interface Child<Order, Answer> {
  readonly pid: number;
  /** What it said when it was ready. */
  readonly greeting: unknown;
  /** Sends an order and returns the answer. One at a time. */
  ask(order: Order): Promise<Answer>;
  stop(): Promise<void>;
}

/** As many requests at a time as anybody here makes; Bun reads it when a process begins. */
const CAPACITY = { BUN_CONFIG_MAX_HTTP_REQUESTS: "16384" };

/**
 * Starts a file of this folder as a process of its own, and resolves when it is ready.
 *
 * @throws If it ends before it is.
 */
export async function startChild<Order, Answer>(
  file: string,
  argv: readonly string[] = [],
): Promise<Child<Order, Answer>> {
  let waiting = Promise.withResolvers<unknown>();
  const child = Bun.spawn([process.execPath, join(import.meta.dir, file), ...argv], {
    env: { ...process.env, ...CAPACITY },
    stdio: ["ignore", "inherit", "inherit"],
    serialization: "json",
    ipc: (message: unknown) => waiting.resolve(message),
    onExit: (_, code, signal) =>
      waiting.reject(new Error(`Cannot ask ${file}: it ended with ${signal ?? code}`)),
  });
  // Nobody waits when it is stopped.
  waiting.promise.catch(() => {});
  const greeting = await waiting.promise;
  return {
    pid: child.pid,
    greeting,
    ask: async (order) => {
      waiting = Promise.withResolvers<unknown>();
      waiting.promise.catch(() => {});
      child.send(order);
      return (await waiting.promise) as Answer;
    },
    stop: async () => {
      child.kill();
      await child.exited;
    },
  };
}

/** Reads the port out of a child's greeting. @throws {TypeError} If there is none. */
export function portOf(greeting: unknown): number {
  if (typeof greeting === "object" && greeting !== null && "port" in greeting) {
    if (typeof greeting.port === "number") return greeting.port;
  }
  throw new TypeError(`Cannot read greeting: ${JSON.stringify(greeting)}`);
}
