import { CAPACITY, CAPACITY_NAME } from "../../fetch_capacity.ts";

/** The password of the first user in every database of a benchmark. They hold nothing, on loopback only. */
const PASSWORD = "bench-bench-bench-bench";

/** How long a start may take, in milliseconds. */
const START_MS_MAX = 120_000;

/** A running process of the proxy's binary. */
export interface RunningBinary {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

export interface BinaryOptions {
  readonly binary: string;
  readonly dataDir: string;
  readonly upstreamPort: number;
  readonly synchronous: "full" | "normal";
  /** Any free one if it is not given. */
  readonly port?: number;
}

/** Starts the binary without waiting for it. */
export function spawnBinary(options: BinaryOptions): Bun.Subprocess<"ignore", "ignore", "pipe"> {
  const { binary, dataDir, upstreamPort, synchronous, port = 0 } = options;
  const flags = {
    "--listen": `127.0.0.1:${port}`,
    "--data-dir": dataDir,
    "--allow-upstream": `127.0.0.1:${upstreamPort}`,
    "--synchronous": synchronous,
    "--log-format": "json",
  };
  const { PATH = "", HOME = "" } = process.env;
  return Bun.spawn([binary, "serve", ...Object.entries(flags).flat()], {
    // As the system service does: a process without the capacity becomes another first.
    env: { PATH, HOME, INFERENCE_PROXY_ADMIN_PASSWORD: PASSWORD, [CAPACITY_NAME]: CAPACITY },
    stdio: ["ignore", "ignore", "pipe"],
  });
}

/** Starts the binary and resolves when it says that it is ready. @throws If it does not come to that. */
export async function startBinary(options: BinaryOptions): Promise<RunningBinary> {
  const child = spawnBinary(options);
  const late = setTimeout(() => child.kill("SIGKILL"), START_MS_MAX);
  const ready = Promise.withResolvers<number>();
  void collect(child.stderr, ready);
  const port = await ready.promise;
  clearTimeout(late);
  return {
    pid: child.pid,
    port,
    stop: async () => {
      child.kill();
      await child.exited;
    },
  };
}

/** Reads the log: its line about being ready, and what it has to complain about afterwards. */
async function collect(
  stderr: ReadableStream<Uint8Array>,
  ready: PromiseWithResolvers<number>,
): Promise<void> {
  const decoder = new TextDecoder();
  let text = "";
  let isReady = false;
  for await (const piece of stderr) {
    const added = decoder.decode(piece, { stream: true });
    // A line comes for every call from then on, and reading it must not slow the machine down.
    if (!isReady) {
      text = (text + added).slice(-100_000);
      const port = /"msg":"ready","listen":"127\.0\.0\.1:(\d+)"/.exec(text)?.[1];
      if (port !== undefined) ready.resolve(Number(port));
      isReady = port !== undefined;
    }
    if (/"level":"(warn|error)"/.test(added)) process.stderr.write(added);
  }
  ready.reject(new Error(`Cannot start the binary: it ended\n${text}`));
}

/** Calls the management plane as the first owner. @throws If it refuses. */
export async function manage(
  port: number,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: {
      authorization: `Basic ${btoa(`admin:${PASSWORD}`)}`,
      "content-type": "application/json",
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`Cannot ${method} ${path}: ${answer.status} ${text}`);
  return text === "" ? null : JSON.parse(text);
}
