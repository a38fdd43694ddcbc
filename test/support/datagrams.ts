import { dlopen, ptr } from "bun:ffi";
import { libcPath } from "../../src/std/libc.ts";
import { eventually } from "./eventually.ts";

/** A unix datagram socket that a test listens on, as a service manager does. */
export interface DatagramReceiver extends Disposable {
  /** Where it listens: `@` and a name, or a path. */
  readonly address: string;
  /** Every message received so far, in order. */
  received(): readonly string[];
  /** The processes that sent them, by id, each once. */
  senders(): readonly number[];
  /** Resolves when a message has come that holds the text. The test's own time limit ends the wait. */
  receivedText(text: string): Promise<void>;
}

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 0o2000002;
const SOL_SOCKET = 1;
const SO_PASSCRED = 16;
const MSG_DONTWAIT = 0x40;
const MESSAGE_BYTES_MAX = 4096;

/** Opens a receiver. @param address A path, or `@` and a name that the system keeps without a file. */
export function receiveDatagrams(
  address = `@inference-proxy-test-${crypto.randomUUID()}`,
): DatagramReceiver {
  const libc = openLibc();
  const name = new TextEncoder().encode(address.replace(/^@/, "\0"));
  const sockaddr = Uint8Array.of(AF_UNIX, 0, ...name, ...(address.startsWith("@") ? [] : [0]));
  const socket = libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  libc.setsockopt(socket, SOL_SOCKET, SO_PASSCRED, Int32Array.of(1), 4);
  if (libc.bind(socket, sockaddr, sockaddr.length) !== 0)
    throw new Error(`Cannot receive on ${address}`);
  const messages: string[] = [];
  const senders = new Set<number>();
  const received = () => {
    for (let one = receive(libc, socket); one !== null; one = receive(libc, socket)) {
      messages.push(one.text);
      senders.add(one.pid);
    }
    return messages;
  };
  return {
    address,
    received,
    senders: () => {
      received();
      return [...senders];
    },
    receivedText: (text) => eventually(() => received().some((one) => one.includes(text))),
    [Symbol.dispose]: () => void libc.close(socket),
  };
}

function openLibc() {
  return dlopen(libcPath() ?? "libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
    bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
    recvmsg: { args: ["i32", "ptr", "i32"], returns: "i64" },
    close: { args: ["i32"], returns: "i32" },
  }).symbols;
}

/** Takes one message out of the socket, or null if none waits, by a `msghdr` of a 64-bit machine. */
function receive(libc: ReturnType<typeof openLibc>, socket: number) {
  const bytes = new Uint8Array(MESSAGE_BYTES_MAX);
  // Its length, level and type, then the sender's process, user and group.
  const control = new Int32Array(8);
  const piece = BigUint64Array.of(BigInt(ptr(bytes)), BigInt(bytes.length));
  const header = BigUint64Array.of(
    0n,
    0n,
    BigInt(ptr(piece)),
    1n,
    BigInt(ptr(control)),
    BigInt(control.byteLength),
    0n,
  );
  const length = Number(libc.recvmsg(socket, header, MSG_DONTWAIT));
  if (length < 0) return null;
  return { text: new TextDecoder().decode(bytes.subarray(0, length)), pid: control[4] ?? 0 };
}
