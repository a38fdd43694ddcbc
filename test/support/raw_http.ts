import { connect, createServer, type Socket } from "node:net";

/** One connection on which a test writes bytes as it likes. */
export interface RawConnection {
  readonly socket: Socket;
  /** Everything received so far. */
  readonly received: () => string;
  /** Resolves when what was received matches; rejects if the connection ends before. */
  readonly until: (pattern: RegExp) => Promise<string>;
  /** Resolves with everything received when the other side has ended the connection. */
  readonly ended: Promise<string>;
}

/** Connects to `http://host:port`. */
export async function connectRaw(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = "";
  let closed = false;
  const listeners = new Set<() => void>();
  const { promise: ended, resolve: end } = Promise.withResolvers<string>();
  socket.on("data", (data) => {
    text += data.toString("latin1");
    for (const listen of listeners) listen();
  });
  // A reset is one of the ways to end.
  socket.on("error", () => {});
  socket.on("close", () => {
    closed = true;
    end(text);
    for (const listen of listeners) listen();
  });
  const until = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (pattern.test(text)) resolve(text);
        else if (closed) reject(new Error(`The connection ended before ${pattern}: ${text}`));
        else return;
        listeners.delete(look);
      };
      listeners.add(look);
      look();
    });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", () => resolve());
    socket.once("error", reject);
  });
  return { socket, received: () => text, until, ended };
}

/** Sends the bytes of one request and returns everything that comes back until the connection ends. */
export async function exchangeRaw(url: string, request: string | Uint8Array): Promise<string> {
  const connection = await connectRaw(url);
  connection.socket.write(request);
  return connection.ended;
}

/** Writes a request with a body, on a connection that ends after it. */
export function rawRequest(
  path: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): string {
  const lines = Object.entries({ host: "proxy.example", connection: "close", ...headers });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `POST ${path} HTTP/1.1\r\n${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** An upstream that is a bare socket: a test decides on every byte, and on how the connection ends. */
export interface RawUpstream {
  readonly url: string;
  /** Called once for each request, when all of it is there. */
  serve: (socket: Socket) => void;
  /** How many requests have come. */
  readonly count: () => number;
  stop(): Promise<void>;
}

/** Starts an upstream that ends every connection until it is told what to do. */
export async function startRawUpstream(): Promise<RawUpstream> {
  let count = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    let text = "";
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (data) => {
      text += data.toString("latin1");
      const [head = "", body] = text.split("\r\n\r\n", 2);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (body === undefined || body.length < length) return;
      text = "";
      count += 1;
      upstream.serve(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Expected a port");
  const upstream: RawUpstream = {
    url: `http://127.0.0.1:${address.port}`,
    serve: (socket) => void socket.end(),
    count: () => count,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return upstream;
}

/** Writes a whole answer, declared in full. */
export function rawAnswer(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): string {
  const given = { "content-type": "application/json", ...headers };
  const lines = Object.entries(given).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = Buffer.byteLength(body);
  return `HTTP/1.1 ${status} X\r\n${lines.join("")}content-length: ${length}\r\n\r\n${body}`;
}
