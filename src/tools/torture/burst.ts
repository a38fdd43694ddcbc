import { burstCeiling } from "./burst_ceiling.ts";
import { burstCircuit } from "./burst_circuit.ts";
import { burstRate } from "./burst_rate.ts";
import type { PartOptions } from "./part.ts";

/** Sends bursts of concurrent calls against each limit. */
export async function burst(options: PartOptions): Promise<string> {
  const figures = [
    await burstRate(options),
    await burstCeiling(options),
    await burstCircuit(options),
  ];
  return ["", ...figures].join("\n  ");
}
