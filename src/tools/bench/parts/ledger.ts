import { startChild } from "../children.ts";
import type { LedgerPlan, LedgerResult } from "../ledger_plan.ts";
import { markdownTable, spreadText } from "../markdown.ts";
import type { Report } from "../report.ts";
import type { Rig } from "../rig.ts";

interface Row {
  readonly synchronous: LedgerPlan["synchronous"];
  readonly callers: number;
  readonly rounds: LedgerResult[];
}

/** Measures the ledger without the rest: what a hold and its settlement take, and how long a hold waits. */
export async function measureLedger(rig: Rig): Promise<Report> {
  const child = await startChild<LedgerPlan, LedgerResult>("ledger_load.ts");
  const rows: Row[] = [1, 16, 64].flatMap((callers) => [
    { synchronous: "full", callers, rounds: [] },
    { synchronous: "normal", callers, rounds: [] },
  ]);
  const seconds = rig.options.seconds / 2;
  try {
    for (let round = -1; round < rig.options.rounds; round += 1) {
      for (const { synchronous, callers, rounds } of rows) {
        const result = await child.ask({ folder: rig.folder, synchronous, callers, seconds });
        // The first round is the one in which the program is compiled.
        if (round >= 0) rounds.push(result);
      }
    }
  } finally {
    await child.stop();
  }
  return { title: "The ledger alone", text: [table(rows)], findings: [], measured: rows };
}

function table(rows: readonly Row[]): string {
  return markdownTable(
    ["synchronous", "callers", "CPU us/call", "calls/s", "hold p50 ms", "hold p99 ms"],
    rows.map(({ synchronous, callers, rounds }) => [
      synchronous,
      String(callers),
      spreadText(rounds.map((round) => (round.cpuMs * 1000) / round.calls)),
      spreadText(rounds.map((round) => round.calls / round.seconds)),
      spreadText(rounds.map((round) => round.holdMs.p50)),
      spreadText(rounds.map((round) => round.holdMs.p99)),
    ]),
  );
}
