/**
 * Does what the quickstart says, in an empty folder with nothing but the program, and prints what somebody who does
 * so sees: what they type, what is shown, and when. A stand-in on this machine answers for the provider.
 *
 *     bun src/tools/first_five_minutes.ts dist/inference-proxy
 *
 * The times are the program's: nobody has to read or to type in between.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startStandIn } from "../stand_in/stand_in.ts";

const QUICKSTART = join(import.meta.dir, "../docs/quickstart.md");

/** What the quickstart expects in the environment, for a provider that takes any key. */
const PROVIDER_KEY = "sk-of-a-stand-in-0123456789";

/** A terminal as wide as many are. */
const SIZE = { cols: 100, rows: 40 };

/** Marks the end of a command in what a terminal shows; its exit code stands between two of them. */
const MARK = "\u001e";
const PROMPT = new RegExp(`${MARK}(\\d+)${MARK}\\$ $`);

/** Asks for the rest of a command. */
const MORE = new RegExp(`${MARK}> $`);

const READY = new RegExp(`ready listen|${PROMPT.source}`);

/** What the key to end a program sends. */
const INTERRUPT = "\u0003";

/** How long a command may take, in milliseconds. */
const PATIENCE_MS = 60_000;

/** A shell on a pseudo terminal of its own. */
class Terminal {
  readonly #child: Bun.Subprocess;
  readonly #decoder = new TextDecoder();
  #shown = "";
  #look: () => void = () => {};

  constructor(folder: string, bin: string) {
    this.#child = Bun.spawn(["sh", "-i"], {
      cwd: folder,
      env: {
        PATH: `${bin}:${process.env["PATH"] ?? ""}`,
        HOME: folder,
        TERM: "xterm-256color",
        OPENAI_API_KEY: PROVIDER_KEY,
        PS1: `${MARK}$?${MARK}$ `,
        PS2: `${MARK}> `,
      },
      terminal: {
        ...SIZE,
        data: (_, piece) => {
          this.#shown += this.#decoder.decode(piece, { stream: true });
          this.#look();
        },
      },
    });
  }

  /** Types keys, waits for what shows that they had their effect, and returns all that was shown. */
  async type(keys: string, until: RegExp): Promise<string> {
    this.#shown = "";
    if (keys !== "") this.#child.terminal?.write(keys);
    const { promise, resolve: found, reject } = Promise.withResolvers<void>();
    const tooLate = setTimeout(
      () => reject(new Error(`Cannot go on: ${until} is not shown\n${this.#shown}`)),
      PATIENCE_MS,
    );
    this.#look = () => {
      if (until.test(this.#shown)) found();
    };
    this.#look();
    await promise.finally(() => clearTimeout(tooLate));
    return this.#shown.replaceAll("\r", "");
  }

  async close(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

/** Returns the commands of the quickstart, in order. */
async function commands(): Promise<string[]> {
  const page = await Bun.file(QUICKSTART).text();
  return [...page.matchAll(/^```sh\n([^]*?)\n```$/gm)].flatMap(([, block = ""]) =>
    // A line that goes on ends in a backslash or a bar.
    block.split(/(?<![\\|])\n/),
  );
}

/** Lets a command of the quickstart use the stand-in, where it would use a provider. */
function withStandIn(command: string, { address, url }: { address: string; url: string }): string {
  return command
    .replace(/^inference-proxy serve$/, `$& --allow-upstream ${address}`)
    .replace(/provider set openai$/, `$& --base-url ${url}`);
}

const startedMs = performance.now();

/** Types a command, line by line, and prints what the terminal showed, when, and how long it took. */
async function show(terminal: Terminal, command: string, until: RegExp = PROMPT): Promise<void> {
  const sinceMs = performance.now();
  const lines = command.split("\n");
  let shown = "";
  for (const [at, line] of lines.entries())
    shown += await terminal.type(
      line + (line === INTERRUPT ? "" : "\n"),
      at + 1 < lines.length ? MORE : until,
    );
  const exitCode = PROMPT.exec(shown)?.[1] ?? "0";
  const ended = exitCode === "0" ? "" : `, exit code ${exitCode}`;
  const text = shown.replace(PROMPT, "").replaceAll(MARK, "").trimEnd();
  console.log(`[${seconds(sinceMs - startedMs).padStart(5)} s] $ ${text}`);
  console.log(`          (${seconds(performance.now() - sinceMs)} s${ended})\n`);
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

async function tour(binary: string, folder: string): Promise<void> {
  const bin = join(folder, "bin");
  const work = join(folder, "work");
  for (const path of [bin, work]) mkdirSync(path);
  symlinkSync(binary, join(bin, "inference-proxy"));
  const standIn = startStandIn();
  const server = new Terminal(work, bin);
  const client = new Terminal(work, bin);
  const at = { address: standIn.address, url: standIn.baseUrls.openai };
  try {
    await Promise.all([server.type("", PROMPT), client.type("", PROMPT)]);
    for (const command of (await commands()).map((one) => withStandIn(one, at))) {
      const serves = command.startsWith("inference-proxy serve");
      await (serves ? show(server, command, READY) : show(client, command));
    }
    await show(server, INTERRUPT);
  } finally {
    await Promise.all([server.close(), client.close(), standIn.stop()]);
  }
}

const [, , given = ""] = process.argv;
if (!existsSync(given)) {
  console.error("usage: bun src/tools/first_five_minutes.ts PATH_OF_THE_PROGRAM");
  process.exit(64);
}
const folder = mkdtempSync(join(tmpdir(), "inference-proxy-tour-"));
try {
  await tour(resolve(given), folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
