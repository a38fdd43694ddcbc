import { inParallel } from "../in_parallel.ts";
import { Random } from "../random.ts";
import { asSent, type CapturedAnswer } from "./captured_answer.ts";
import { EITHER, type Fault, HARMLESS } from "./fault.ts";
import type { Step } from "./fault_proxy.ts";
import { type Form, FORMS, type Trial } from "./trial.ts";

/** Enough for what was sent to be read before something else happens. */
const READ = { waitMs: 2 };

/** What is done at a byte of an answer, and whether the rest of it follows. */
const WAYS: readonly {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly goesOn: boolean;
}[] = [
  { name: "closed", steps: ["close"], goesOn: false },
  { name: "half closed", steps: [READ, "finish"], goesOn: false },
  { name: "reset", steps: [READ, "reset"], goesOn: false },
  { name: "paused", steps: [READ], goesOn: true },
];

/** The last bytes are all tried: there it is decided whether an answer is whole. */
const LAST_BYTES = 20;

export interface SweepOptions {
  readonly workers: number;
  /** How many bytes lie between two cuts. */
  readonly stride: number;
  readonly seed: number;
}

/** Cuts an answer of each form at byte after byte, in each way, and returns how many cuts that took. */
export async function sweep(
  trial: Trial,
  { workers, stride, seed }: SweepOptions,
): Promise<number> {
  const random = new Random(seed);
  const cuts = FORMS.flatMap((form) =>
    WAYS.flatMap((way) => {
      const bytes = trial.bytesOf(form);
      const first = random.between(0, stride - 1);
      const places = Array.from({ length: bytes }, (_, at) => at).filter(
        (at) => (at - first) % stride === 0 || at >= bytes - LAST_BYTES,
      );
      return places.map((at) => ({ form, fault: cutAt(at, bytes, way, form) }));
    }),
  );
  await inParallel(cuts, workers, ({ fault, form }) => trial.run(fault, form));
  return cuts.length;
}

function cutAt(at: number, bytes: number, way: (typeof WAYS)[number], form: Form): Fault {
  const { name, steps, goesOn } = way;
  return {
    name: `${name} at byte ${at} of ${bytes}`,
    // Only a stream says itself where it ends, before its last bytes.
    fates: goesOn ? HARMLESS : form.stream ? EITHER : ["refused"],
    steps: (answer: CapturedAnswer) => {
      const sent = asSent(answer);
      return goesOn
        ? [sent.subarray(0, at), ...steps, sent.subarray(at)]
        : [sent.subarray(0, at), ...steps];
    },
  };
}
