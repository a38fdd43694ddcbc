import { VECTORS } from "../answers.ts";
import { withProxies } from "../proxies.ts";
import {
  callsPerS,
  cellTable,
  column,
  cpuUsPerCall,
  type Report,
  timesFloor,
  totalP50Ms,
  totalP99Ms,
} from "../report.ts";
import type { Cell, Rig } from "../rig.ts";
import { embeddingsBody, type Work } from "../works.ts";

const COLUMNS = [
  column("CPU us/call", cpuUsPerCall),
  timesFloor(cpuUsPerCall),
  column("calls/s", callsPerS),
  column("p50 ms", totalP50Ms),
  column("p99 ms", totalP99Ms),
];

/** Measures embeddings: answers of megabytes. */
export async function measureEmbeddings(rig: Rig): Promise<Report> {
  return await withProxies(rig, ["floor", "ours", "against"], async (targets) => {
    const cells: Cell[] = [];
    for (const encoding of ["float", "base64"] as const) {
      cells.push(...(await rig.measure(work(rig, encoding), targets)));
    }
    return {
      title: `Embeddings, ${VECTORS} vectors of 1536 numbers`,
      text: [cellTable(cells, COLUMNS)],
      findings: [],
      measured: cells,
    };
  });
}

function work({ options: { seconds } }: Rig, encoding: "float" | "base64"): Work {
  return {
    name: `embeddings, ${encoding}`,
    path: "/embeddings",
    body: embeddingsBody(encoding, VECTORS),
    answer: { kind: "embeddings", encoding },
    connections: 4,
    pace: { kind: "seconds", warmUp: 0.3, seconds },
  };
}
