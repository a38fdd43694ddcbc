/** Something that takes calls: a proxy, or the upstream itself. */
export interface Target {
  readonly name: string;
  readonly port: number;
  /** The processes that do the work. */
  readonly pids: readonly number[];
  /** What stands before `/chat/completions`. */
  readonly basePath: string;
  /** Added to each request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Inference keys, one per line. */
  readonly keysFile: string;
  /** Whether it answers in the wire of OpenAI whatever the upstream speaks. */
  readonly translates: boolean;
  stop(): Promise<void>;
}

/** What is the same for all that relay without looking. */
export const RELAY = { basePath: "/inference/v1", headers: {}, translates: false } as const;

/** Finds a port that nobody listens on. */
export async function freePort(): Promise<number> {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

/** Resolves once something listens on a port. @throws If nothing does within ten seconds. */
export async function untilListening(port: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    try {
      const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data: () => {} } });
      socket.end();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await Bun.sleep(5);
    }
  }
}
