import { readFileSync } from "node:fs";
import { join } from "node:path";
import { COMMANDS } from "../../cli/commands.ts";
import { manualPage } from "../../cli/manual.ts";
import { PLACES } from "../../cli/systemd/places.ts";
import { unitText } from "../../cli/systemd/unit.ts";
import type { ArchiveFile } from "./archive.ts";
import { makeNotices } from "./notices.ts";
import { run } from "./run.ts";

/** What the texts of a release are made from. */
export interface TextSource {
  /** The folder of the repository. */
  readonly root: string;
  readonly version: string;
  /** In whole seconds since the Unix epoch. */
  readonly dateS: number;
  /** What others wrote and the release holds. */
  readonly packages: readonly string[];
}

/** Where the completions of each shell lie in the archive. */
const COMPLETIONS: Readonly<Record<string, string>> = {
  bash: "completions/inference-proxy.bash",
  zsh: "completions/_inference-proxy",
  fish: "completions/inference-proxy.fish",
};

/** Makes the files that stand beside the program, the same for every kind of machine. */
export async function releaseTexts(source: TextSource): Promise<ArchiveFile[]> {
  const { root, version, dateS, packages } = source;
  const date = new Date(dateS * 1000).toISOString().slice(0, 10);
  const completions = Object.entries(COMPLETIONS).map(async ([shell, name]) => {
    const main = join(root, "src/main.ts");
    return { name, content: await run([process.execPath, main, "completion", shell]) };
  });
  return [
    ...["LICENSE", "README.md"].map((name) => ({
      name,
      content: readFileSync(join(root, name), "utf8"),
    })),
    { name: "THIRD_PARTY_NOTICES", content: makeNotices(join(root, "node_modules"), packages) },
    { name: "inference-proxy.1", content: manualPage(COMMANDS, { version, date }) },
    {
      name: "inference-proxy.service",
      content: unitText({ binary: PLACES.binary, dataDir: PLACES.dataDir }),
    },
    ...(await Promise.all(completions)),
  ];
}
