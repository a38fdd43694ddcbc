import { join } from "node:path";
import { databasePath } from "../../app.ts";
import { reportMasterKey } from "../../store/master_key_report.ts";
import { swapMasterKeys } from "../../store/master_key_swap.ts";
import { Callers } from "./callers.ts";
import type { PartOptions } from "./part.ts";
import { Proxy } from "./proxy.ts";
import { Random } from "./random.ts";
import { addRows, lookAtRows } from "./rotation_rows.ts";
import { startUpstream } from "./upstream.ts";
import { wholeAnswer } from "./upstream_answer.ts";
import { mustHold, Violation } from "./violation.ts";

const SIZES = { quick: { rounds: 20, rows: 2000 }, long: { rounds: 200, rows: 10_000 } };

/** How many clients call all the time. */
const CALLERS = 4;

/** How long a command may take, in milliseconds. */
const COMMAND_MS_MAX = 60_000;

/** Whom a round kills: in the last case no server runs, and the command works alone. */
const VICTIMS = { server: 3, command: 2, both: 1, alone: 2 };

export interface RotationOptions extends PartOptions {
  readonly rounds?: number;
  readonly rows?: number;
}

/** Kills rotations of the master key at random moments, goes on with either key, and opens every provider key. */
export async function rotation({ binary, long, seed, ...sizes }: RotationOptions): Promise<string> {
  const { rounds, rows } = { ...(long ? SIZES.long : SIZES.quick), ...sizes };
  const random = new Random(seed);
  await using upstream = startUpstream((arrival) => wholeAnswer(arrival, { input: 5, output: 3 }));
  await using proxy = await Proxy.open({ binary, upstream: upstream.address });
  const { secret } = await proxy.createKey();
  const keyPath = join(proxy.dataDir, "master.key");
  await stopped(proxy);
  await addRows(proxy.dataDir, keyPath, rows);
  await proxy.start();
  const rig = new Rig({ binary, proxy, keyPath, secret, random });
  for (let round = 1; round <= rounds; round += 1) mustHold(`Round ${round}`, await rig.round());
  return `${rounds} rounds with ${rows} rows: ${rig.figures()}; 0 unreadable, 0 under an old key`;
}

interface RigParts {
  readonly binary: string;
  readonly proxy: Proxy;
  readonly keyPath: string;
  readonly secret: string;
  readonly random: Random;
}

class Rig {
  readonly #parts: RigParts;
  #interrupted = 0;
  #calls = 0;
  #swappedByHand = 0;
  /** How long a whole rotation takes, so that most kills come in its middle. */
  #rotationMs = 300;

  constructor(parts: RigParts) {
    this.#parts = parts;
  }

  figures(): string {
    return (
      `${this.#interrupted} rotations interrupted, ${this.#swappedByHand} went on with the new key put in ` +
      `place by hand, ${this.#calls} calls served meanwhile`
    );
  }

  /** Begins a rotation, kills somebody, goes on to the end, and returns what is wrong then. */
  async round(): Promise<string[]> {
    const { proxy, random } = this.#parts;
    const victim = random.weighted(VICTIMS);
    if (victim === "alone") await stopped(proxy);
    const callers = victim === "alone" ? null : this.#callers();
    let isKilled = false;
    const kill = (command: Bun.Subprocess) => {
      isKilled = victim === "server" || victim === "both";
      if (isKilled) proxy.kill();
      if (victim !== "server") command.kill("SIGKILL");
    };
    const ended = await this.#rotate(kill, random.next() * 1.2 * this.#rotationMs);
    if (ended.exitCode !== 0) this.#interrupted += 1;
    const faults = await this.#stop(callers, !isKilled);
    if (isKilled) await proxy.ended();
    if (!proxy.runs) await this.#startAgain();
    return [...faults, ...(await this.#goOn())];
  }

  /** Rotates, to the end of what was interrupted or a whole time more, while calls go on. */
  async #goOn(): Promise<string[]> {
    const { proxy, keyPath } = this.#parts;
    const callers = this.#callers();
    const startMs = performance.now();
    const ended = await this.#rotate((command) => command.kill("SIGKILL"), COMMAND_MS_MAX);
    if (ended.exitCode !== 0)
      throw new Violation(`A rotation that was run again failed:\n${ended.said}`);
    this.#rotationMs = performance.now() - startMs;
    const faults = [...(await this.#stop(callers, true)), ...proxy.errors];
    return [...faults, ...(await lookAtRows(proxy.dataDir, keyPath))];
  }

  /** Starts a server on what is left; in half of the cases with the new key put in its place by hand. */
  async #startAgain(): Promise<void> {
    const { proxy, keyPath, random } = this.#parts;
    const { rotation: unfinished, heldId } = await reportMasterKey(
      databasePath(proxy.dataDir),
      keyPath,
    );
    if (unfinished !== null && heldId === unfinished.fromId && random.chance(0.5)) {
      swapMasterKeys(keyPath);
      this.#swappedByHand += 1;
    }
    await proxy.start();
  }

  /** Runs the command, and calls `kill` with it unless it ends before. */
  async #rotate(kill: (command: Bun.Subprocess) => void, killMs: number) {
    const { binary, proxy } = this.#parts;
    const command = Bun.spawn([binary, "master-key", "rotate", "--data-dir", proxy.dataDir], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    const timer = setTimeout(() => kill(command), killMs);
    const said = await command.stderr.text();
    await command.exited;
    clearTimeout(timer);
    return { exitCode: command.exitCode, said };
  }

  #callers(): Callers {
    const { proxy, secret } = this.#parts;
    return new Callers({ url: proxy.url, secret }, CALLERS);
  }

  async #stop(callers: Callers | null, wasAlive: boolean): Promise<string[]> {
    if (callers === null) return [];
    const faults = await callers.stop(wasAlive);
    this.#calls += callers.served;
    return faults;
  }
}

async function stopped(proxy: Proxy): Promise<void> {
  proxy.terminate();
  await proxy.ended();
}
