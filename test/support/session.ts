import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type StandIn, startStandIn } from "../../src/stand_in/stand_in.ts";
import { BINARY, openFolder, type RunningBinary, startBinary } from "./binary.ts";

/**
 * A session: what somebody types at a shell, and what is answered.
 *
 *     What this is about.
 *     server: running, stopped
 *     providers: stand-in
 *
 *     $ inference-proxy version
 *     Inference Proxy ...
 *     [64]
 *
 * The title is one line. `server` says with which states of the server the session is run; without it there is no
 * data directory yet. `providers: stand-in` starts a stand-in for the providers, which the proxy may call: its base
 * URLs are in the environment, as `STAND_IN_OPENAI` and so on. Beside the program there is the command `call`. After
 * a command stands everything it prints, on both outputs, and its exit code unless that is 0. A line that begins with
 * `#` is a remark. What differs from run to run is written as a word in capitals.
 */
export interface Session {
  readonly title: string;
  readonly states: readonly ServerState[];
  readonly hasStandIn: boolean;
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

const WITH_STAND_IN = "providers: stand-in";

/** Reads a session. @throws If the text is none. */
export function parseSession(text: string): Session {
  const [title = "", ...lines] = text.trimEnd().split("\n");
  const end = lines.indexOf("");
  const head = lines.slice(0, end);
  const states = head.flatMap((line) => /^server: (.+)$/.exec(line)?.[1]?.split(", ") ?? []);
  const steps: { remarks: string[]; command: string; printed: string[] }[] = [];
  let remarks: string[] = [];
  for (const line of lines.slice(end)) {
    const step = steps.at(-1);
    if (line.startsWith("$ ")) {
      steps.push({ remarks, command: line.slice(2), printed: [] });
      remarks = [];
    } else if (line.startsWith("# ") || step === undefined) remarks.push(line);
    else step.printed.push(line);
  }
  return {
    title,
    states: (states.length === 0 ? ["none"] : states) as ServerState[],
    hasStandIn: head.includes(WITH_STAND_IN),
    steps: steps.map(({ printed, ...step }) => ({
      ...step,
      printed: printed.join("\n").trimEnd(),
    })),
  };
}

/** Writes a session as it is kept. */
export function formatSession({ title, states, hasStandIn, steps }: Session): string {
  const head = [
    title,
    ...(states.join() === "none" ? [] : [`server: ${states.join(", ")}`]),
    ...(hasStandIn ? [WITH_STAND_IN] : []),
  ];
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
  symlinkSync(resolve(BINARY), join(bin, "inference-proxy"));
  writeFileSync(join(bin, "call"), CALL, { mode: 0o755 });
  const standIn = session.hasStandIn ? startStandIn() : null;
  const environment = standIn === null ? {} : environmentOf(standIn);
  const server = state === "none" ? null : await serve(work, environment);
  if (state === "stopped") await server?.stop();
  const place = { bin, work, environment: { ...environment, PROXY: server?.url ?? "" } };
  try {
    const printed: string[] = [];
    for (const { command } of session.steps) {
      printed.push(settle(await runShell(command, place), folder.path));
    }
    return printed;
  } finally {
    await server?.kill();
    await standIn?.stop();
  }
}

/** Makes a chat call, `call KEY MODEL`, as any client would, and prints the status and the answer's text or code. */
const CALL = `#!${process.execPath}
const [inferenceKey, model] = process.argv.slice(2);
const response = await fetch(process.env.PROXY + "/inference/v1/chat/completions", {
  method: "POST",
  headers: { authorization: "Bearer " + inferenceKey, "content-type": "application/json" },
  body: JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] }),
});
const { choices, error } = await response.json();
console.log(response.status, error?.code ?? choices[0].message.content);
`;

/** What a shell and the proxy are told of a stand-in. */
function environmentOf({ address, baseUrls }: StandIn): Record<string, string> {
  const urls = Object.entries(baseUrls).map(([speaker, url]) => [
    `STAND_IN_${speaker.toUpperCase()}`,
    url,
  ]);
  return { INFERENCE_PROXY_ALLOW_UPSTREAM: address, ...Object.fromEntries(urls) };
}

/** How many files and how much memory this machine allows must not show. */
const MODEST = ["--concurrency", "100", "--memory-limit-mb", "0"];

function serve(work: string, environment: Record<string, string>): Promise<RunningBinary> {
  const { INFERENCE_PROXY_ALLOW_UPSTREAM: allowed } = environment;
  const upstreams = allowed === undefined ? [] : ["--allow-upstream", allowed];
  return startBinary([...MODEST, ...upstreams], {
    environment: { INFERENCE_PROXY_ADMIN_PASSWORD: PASSWORD },
    workingDirectory: work,
  });
}

/** Where a session's commands run. */
interface Place {
  readonly bin: string;
  readonly work: string;
  readonly environment: Readonly<Record<string, string>>;
}

async function runShell(command: string, { bin, work, environment }: Place): Promise<string> {
  const child = Bun.spawn(["bash", "-c", `${command} 2>&1`], {
    cwd: work,
    env: { PATH: `${bin}:${process.env["PATH"] ?? ""}`, HOME: work, ...environment },
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
  return (
    text
      .replaceAll(folder, "/FOLDER")
      .replaceAll(resolve(BINARY), "/PROGRAM")
      .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "UUID")
      .replaceAll(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, "TIME")
      .replaceAll(/before-restore-\d{8}T\d{6}Z/g, "before-restore-TIME")
      .replaceAll(/fdb-inf-[A-Za-z0-9]{49}/g, "fdb-inf-SECRET")
      .replaceAll(/fdb-inf-[A-Za-z0-9]{4}\b/g, "fdb-inf-XXXX")
      .replaceAll(/127\.0\.0\.1:\d{4,5}\b/g, "127.0.0.1:PORT")
      .replaceAll(/\b(process|pid"?:?) ?\d+/g, "$1 PID")
      // Ids of master keys: most have a letter; of the others it shows by what is before.
      .replaceAll(/\b(?=\d*[a-f])[0-9a-f]{8}\b/g, "KEYID")
      .replaceAll(
        /(\b(?:by|from|holds|id|is|key|needs|offered:|or|to) +|\["|_id":"|key\.)\d{8}\b/g,
        "$1KEYID",
      )
      .replaceAll(/\d+\.\d [MG]B/g, "SIZE")
      .replaceAll(/not measured yet|work waited \d+ ms at most in the last minute/g, "LAG")
      .replaceAll(/\b\d+ of \d+$/gm, "N of N")
      .replaceAll(/\b\d+ ms\b/g, "N ms")
      .replaceAll(/"duration_ms":\d+/g, '"duration_ms":N')
      .replaceAll(/\(\w+-\w+, bun [\d.]+\)/g, "(PLATFORM)")
      .replaceAll(/inference-proxy-demo-\w+/g, "inference-proxy-demo-XXXXXX")
      .replaceAll(/\bowner \w+,/g, "owner USER,")
      .replaceAll(/"database_bytes":\d+/g, '"database_bytes":SIZE')
  );
}
