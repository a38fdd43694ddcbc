/**
 * The upstream, a process of its own: raw connections and answers made up beforehand, so that it takes as
 * little of the machine as can be. What it answers, it is told by messages.
 */
import type { Socket } from "bun";
import { type AnswerBytes, answerBytes, type AnswerSpec } from "./answers.ts";
import { Pacer } from "./pacer.ts";
import { requestLength } from "./request_length.ts";

let answer: AnswerBytes = answerBytes({ kind: "chat", wire: "openai" });
let pacer: Pacer | null = null;

/** One connection of a proxy: reads requests only to know where they end. */
class Connection {
  #partial: Buffer | null = null;
  #unsent: Buffer[] = [];
  #closed = false;

  received(socket: Socket<Connection>, piece: Buffer): void {
    const request = this.#partial === null ? piece : Buffer.concat([this.#partial, piece]);
    const length = requestLength(request);
    this.#partial = length === null || length > request.length ? request : null;
    if (this.#partial === null) this.#answer(socket);
  }

  flush(socket: Socket<Connection>): void {
    for (let piece = this.#unsent.shift(); piece !== undefined; piece = this.#unsent.shift()) {
      const written = Math.max(0, socket.write(piece));
      if (written === piece.length) continue;
      this.#unsent.unshift(piece.subarray(written));
      return;
    }
  }

  close(): void {
    this.#closed = true;
  }

  #answer(socket: Socket<Connection>): void {
    const { pieces } = answer;
    let sent = 0;
    const step = () => {
      const piece = pieces[sent];
      if (piece === undefined || this.#closed) return false;
      sent += 1;
      this.#send(socket, piece);
      return sent < pieces.length;
    };
    if (step()) pacer?.add(step);
  }

  #send(socket: Socket<Connection>, piece: Buffer): void {
    this.#unsent.push(piece);
    if (this.#unsent.length === 1) this.flush(socket);
  }
}

function become(spec: AnswerSpec): void {
  pacer?.stop();
  answer = answerBytes(spec);
  pacer = answer.gapMs === 0 ? null : new Pacer(answer.gapMs);
  process.send?.("ready");
}

const listener = Bun.listen<Connection>({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    open: (socket) => {
      socket.data = new Connection();
    },
    data: (socket, piece) => socket.data.received(socket, piece),
    drain: (socket) => socket.data.flush(socket),
    close: (socket) => socket.data.close(),
    error: (socket) => socket.data.close(),
  },
});

process.on("message", (spec: AnswerSpec) => become(spec));
process.on("disconnect", () => process.exit());
process.send?.({ port: listener.port });
