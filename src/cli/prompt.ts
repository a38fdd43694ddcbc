import { FlagError } from "../std/flags.ts";
import { Secret } from "../std/secret.ts";

/** A person interrupted a question. */
export class InterruptedError extends Error {
  constructor() {
    super("Cannot go on: interrupted");
  }
}

const ENTER = /[\r\n]/;
const INTERRUPT = "\u0003";
const END_OF_INPUT = "\u0004";
/** Terminals send one or the other for the same key. */
const ERASE = ["\u0008", "\u007f"];

/**
 * Asks for a secret: on a terminal without showing what is typed, else one line of standard input. Secrets are never
 * flags, because every user of a machine can read its command lines.
 *
 * @param what Such as `Provider key`.
 * @throws {FlagError} If nothing was given.
 */
export async function askSecret(what: string): Promise<Secret> {
  const text = process.stdin.isTTY ? await typed(`${what} (not shown): `) : await firstLine();
  if (text !== "") return new Secret(text);
  throw new FlagError(
    `Cannot go on: ${what.toLowerCase()} is missing`,
    "type it when asked, or pipe it in: ... < FILE",
  );
}

/** Asks twice, so that a slip is found. @throws {FlagError} If the two differ. */
export async function askNewSecret(what: string): Promise<Secret> {
  const secret = await askSecret(what);
  if (!process.stdin.isTTY) return secret;
  const again = await askSecret(`${what} again`);
  if (again.reveal() === secret.reveal()) return secret;
  throw new FlagError("Cannot go on: the two differ", "run it again and type the same twice");
}

/** Asks a question that takes yes; anything else, and nobody to ask, is no. */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  process.stderr.write(`${question} Type yes to go on: `);
  return (await firstLine()) === "yes";
}

async function firstLine(): Promise<string> {
  for await (const line of console) return line;
  return "";
}

function typed(question: string): Promise<string> {
  const { stdin } = process;
  // First: what is typed before would be shown.
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  stdin.resume();
  const answer = Promise.withResolvers<string>();
  let text = "";
  const onData = (piece: string) => {
    for (const character of piece) {
      if (character === INTERRUPT) return answer.reject(new InterruptedError());
      if (ENTER.test(character) || character === END_OF_INPUT) return answer.resolve(text);
      text = ERASE.includes(character) ? text.slice(0, -1) : text + character;
    }
  };
  stdin.on("data", onData);
  process.stderr.write(question);
  return answer.promise.finally(() => {
    stdin.off("data", onData);
    stdin.setRawMode(false);
    stdin.pause();
    process.stderr.write("\n");
  });
}
