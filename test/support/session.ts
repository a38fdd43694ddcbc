import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { BINARY, openFolder, startBinary } from "./binary.ts";

/**
 * A session: what somebody types at a shell, and what is answered.
 *
 *     What this is about.
 *     server: running, stopped
 *
 *     $ inference-proxy version
 *     Inference Proxy ...
 *     [64]
 *
 * The title is one line. `server` says with which states of the server the session is run; without it there is no
 * data directory yet. After a command stands everything it prints, on both outputs, and its exit code unless that
 * is 0. A line that begins with `#` is a remark. What differs from run to run is written as a word in capitals.
 */
export interface Session {
  readonly title: string;
  readonly states: readonly ServerState[];
  readonly steps: readonly Step[];
}

export type ServerState = "running" | "stopped" | "none";

export interface Step {
  /** Remarks and blank lines in front of the command. */
  readonly remarks: readonly string[];
  readonly command: string;
  readonly printed: string;
}

const PASSWORD = "correct-horse-battery";

/** Reads a session. @throws If the text is none. */
export function parseSession(text: string): Session {
  const [title = "", ...lines] = text.trimEnd().split("\n");
  const states = /^server: (.+)$/.exec(lines[0] ?? "")?.[1];
  const steps: { remarks: string[]; command: string; printed: string[] }[] = [];
  let remarks: string[] = [];
  for (const line of states === undefined ? lines : lines.slice(1)) {
    const step = steps.at(-1);
    if (line.startsWith("$ ")) {
      steps.push({ remarks, command: line.slice(2), printed: [] });
      remarks = [];
    } else if (line.startsWith("# ") || step === undefined) remarks.push(line);
    else step.printed.push(line);
  }
  return {
    title,
    states: (states?.split(", ") ?? ["none"]) as ServerState[],
    steps: steps.map(({ printed, ...step }) => ({
      ...step,
      printed: printed.join("\n").trimEnd(),
    })),
  };
}

/** Writes a session as it is kept. */
export function formatSession({ title, states, steps }: Session): string {
  const head = states.join() === "none" ? [title] : [title, `server: ${states.join(", ")}`];
  const bodies = steps.map(({ remarks, command, printed }) => {
    const said = remarks.filter((line) => line !== "");
    return ["", ...said, `$ ${command}`, ...(printed === "" ? [] : [printed])].join("\n");
  });
  return `${[...head, ...bodies].join("\n")}\n`;
}

/** Runs every command of a session with the compiled binary, and returns what each printed. */
export async function runSession(session: Session, state: ServerState): Promise<string[]> {
  using folder = openFolder();
  const bin = join(folder.path, "bin");
  const work = join(folder.path, "work");
  mkdirSync(bin);
  mkdirSync(work);
  symlinkSync(BINARY, join(bin, "inference-proxy"));
  const dataDir = join(work, "data");
  const server = state === "none" ? null : await serve(dataDir);
  if (state === "stopped") await server?.stop();
  try {
    const printed: string[] = [];
    for (const { command } of session.steps) {
      const shell = await runShell(command, { bin, work });
      printed.push(settle(shell, folder.path));
    }
    return printed;
  } finally {
    await server?.kill();
  }
}

function serve(dataDir: string) {
  const environment = { INFERENCE_PROXY_ADMIN_PASSWORD: PASSWORD };
  return startBinary(["--data-dir", dataDir], { environment });
}

async function runShell(command: string, { bin, work }: { bin: string; work: string }) {
  const child = Bun.spawn(["bash", "-c", `${command} 2>&1`], {
    cwd: work,
    env: { PATH: `${bin}:${process.env["PATH"] ?? ""}`, HOME: work },
    stdin: "ignore",
    stdout: "pipe",
  });
  const text = (await new Response(child.stdout).text()).trimEnd();
  const exitCode = await child.exited;
  return [text, ...(exitCode === 0 ? [] : [`[${exitCode}]`])]
    .filter((part) => part !== "")
    .join("\n");
}

/** Puts words for what differs from run to run. */
function settle(text: string, folder: string): string {
  return text
    .replaceAll(folder, "/FOLDER")
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "UUID")
    .replaceAll(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, "TIME")
    .replaceAll(/before-restore-\d{8}T\d{6}Z/g, "before-restore-TIME")
    .replaceAll(/fdb-inf-[A-Za-z0-9]{49}/g, "fdb-inf-SECRET")
    .replaceAll(/fdb-inf-[A-Za-z0-9]{4}\b/g, "fdb-inf-XXXX")
    .replaceAll(/127\.0\.0\.1:\d{4,5}\b/g, "127.0.0.1:PORT")
    .replaceAll(/\b(process|pid"?:?) ?\d+/g, "$1 PID")
    .replaceAll(/\b(Master key +|key_id":"|with id |, id )[0-9a-f]{8}\b/g, "$1KEYID")
    .replaceAll(/\d+\.\d MB/g, "SIZE MB")
    .replaceAll(/"database_bytes":\d+/g, '"database_bytes":SIZE');
}
