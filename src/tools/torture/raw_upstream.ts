import { createServer, type Socket } from "node:net";
import { requestLength } from "../bench/request_length.ts";

/** A request as it came, byte for byte. */
export interface RawRequest {
  /** Head and body. */
  readonly bytes: Buffer;
  /** The model asked for, which is the name of the call; empty if the body names none. */
  readonly model: string;
  readonly stream: boolean;
  /** How many requests came on this connection before. */
  readonly earlier: number;
}

/** A provider on loopback that is a bare socket: whoever starts it decides on every byte. */
export interface RawUpstream extends AsyncDisposable {
  /** As `--allow-upstream` takes it. */
  readonly address: string;
  readonly port: number;
  /** The models asked for so far, one for each request. */
  readonly arrivals: readonly string[];
  /** How many connections are open. */
  readonly open: number;
}

export interface RawUpstreamOptions {
  /** Called once for each request, when all of it is there. */
  readonly serve: (request: RawRequest, connection: UpstreamConnection) => void | Promise<void>;
  /** Called when the head of a request has come, and whether the rest of it is of no interest. */
  readonly atHead?: (connection: UpstreamConnection) => boolean;
}

/** One connection of the proxy. */
export class UpstreamConnection {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  #isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#isClosed = true;
        resolve();
      });
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Writes, and resolves when there is room for more, or nobody is there any more. */
  async write(bytes: Uint8Array | string): Promise<void> {
    if (this.#isClosed || this.socket.write(bytes)) return;
    await Promise.race([this.closed, new Promise((resolve) => this.socket.once("drain", resolve))]);
  }

  /** Ends the side that writes; what the proxy writes is still taken. */
  finish(): void {
    this.socket.end();
  }

  /** Ends both sides, at once after what was written. */
  close(): void {
    this.socket.destroySoon();
  }

  /** Ends both sides by a reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}

/** Starts an upstream. */
export async function startRawUpstream(options: RawUpstreamOptions): Promise<RawUpstream> {
  const arrivals: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    // A reset is one of the ways to end.
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("end", () => socket.end());
    read(new UpstreamConnection(socket), options, arrivals);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", 4096, () => resolve()));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Cannot listen: no port");
  return {
    address: `127.0.0.1:${address.port}`,
    port: address.port,
    arrivals,
    get open() {
      return sockets.size;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function read(
  connection: UpstreamConnection,
  { serve, atHead = () => false }: RawUpstreamOptions,
  arrivals: string[],
): void {
  let pieces: Buffer[] = [];
  let length: number | null = null;
  let bytes = 0;
  let earlier = 0;
  connection.socket.on("data", (piece: Buffer) => {
    pieces.push(piece);
    bytes += piece.length;
    if (length === null) {
      pieces = [Buffer.concat(pieces)];
      length = requestLength(pieces[0] ?? piece);
      if (length !== null && atHead(connection)) return;
    }
    if (length === null || bytes < length) return;
    const request = Buffer.concat(pieces);
    pieces = [];
    length = null;
    bytes = 0;
    const model = modelOf(request);
    arrivals.push(model);
    const stream = request.includes('"stream":true');
    void serve({ bytes: request, model, stream, earlier }, connection);
    earlier += 1;
  });
}

function modelOf(request: Buffer): string {
  const at = request.indexOf('"model":"');
  if (at === -1) return "";
  return request.toString("latin1", at + 9, request.indexOf('"', at + 9));
}
