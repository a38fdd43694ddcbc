import { PREFIXES } from "../../../stand_in/routes.ts";
import { startStandIn } from "../../../stand_in/stand_in.ts";
import { prepareSumFaults } from "../sums.ts";
import { heldFaults } from "../held.ts";
import { inParallel } from "../in_parallel.ts";
import type { PartOptions } from "../part.ts";
import { Proxy } from "../proxy.ts";
import { mustHold } from "../violation.ts";
import { CONNECTION_FAULTS } from "./connection_faults.ts";
import { CONTENT_FAULTS, ENDLESS_ANSWER } from "./content_faults.ts";
import type { Fault } from "./fault.ts";
import { FaultProxy } from "./fault_proxy.ts";
import { FORMS, Trial } from "./trial.ts";
import { FRAMING_FAULTS } from "./framing_faults.ts";
import { HEAD_FAULTS } from "./head_faults.ts";
import { sweep } from "./sweep.ts";

const FAULTS: readonly Fault[] = [
  ...CONNECTION_FAULTS,
  ...HEAD_FAULTS,
  ...FRAMING_FAULTS,
  ...CONTENT_FAULTS,
];

/** Cuts at a time. */
const WORKERS = 16;

/** As short as they can be set: a stall is one of the faults. */
const TIMEOUT_FLAGS = ["--upstream-headers-timeout-s", "2", "--upstream-idle-timeout-s", "2"];

/** Every how many bytes a cut is made in the quick form. */
const QUICK_STRIDE = 37;

/** So much that a provider can close while it is still being sent, in characters. */
const LONG_PROMPT_CHARS = 1 << 20;
const EARLY_CALLS = 5;

/** Spoils answers on their way from the provider, and looks what becomes of each call. */
export async function faults({ binary, long, seed }: PartOptions): Promise<string> {
  const standIn = startStandIn();
  const port = Number(new URL(standIn.url).port);
  await using upstream = await FaultProxy.start(port);
  await using proxy = await Proxy.open({
    binary,
    upstream: upstream.address,
    providers: { openai: PREFIXES.openai, anthropic: PREFIXES.anthropic },
    flags: TIMEOUT_FLAGS,
  });
  const key = await proxy.createKey();
  const trial = await Trial.begin(proxy, key, upstream);
  const named = FORMS.flatMap((form) =>
    [...FAULTS, ...(long ? [ENDLESS_ANSWER] : [])]
      .filter(({ only }) => only === undefined || (only === "stream") === form.stream)
      .map((fault) => ({ fault, form })),
  );
  const lasting = named.filter(({ fault }) => fault.lasting);
  await inParallel(lasting, lasting.length, ({ fault, form }) => trial.run(fault, form));
  for (const { fault, form } of named.filter((one) => !one.fault.lasting)) {
    await trial.run(fault, form);
    await trial.runClean(form, fault);
  }
  const swept = await sweep(trial, { workers: WORKERS, stride: long ? 1 : QUICK_STRIDE, seed });
  for (const early of ["close", "reset"] as const) {
    for (let call = 0; call < EARLY_CALLS; call += 1) {
      upstream.early = early;
      await trial.runEarly(early, "long ".repeat(LONG_PROMPT_CHARS / 5));
      upstream.early = null;
    }
  }
  const sums = () => proxy.read((database) => prepareSumFaults(database)());
  mustHold("Spoilt answers", trial.wrong);
  mustHold("After spoilt answers", [
    ...(await trial.totalFaults()),
    ...sums(),
    ...(await heldFaults(proxy, key)),
    ...proxy.errors,
  ]);
  await standIn.stop();
  return `${named.length} faults, ${swept} cuts; ${trial.figures()}`;
}
