import { existsSync } from "node:fs";
import { setPriority, tmpdir } from "node:os";
import { databasePath } from "../app.ts";
import { systemClock } from "../std/clock.ts";
import { FlagError } from "../std/flags.ts";
import { backUp, backUpToFile } from "../store/backup.ts";
import type { Manifest } from "../store/backup_archive.ts";
import { openWorkFolder } from "../store/work_folder.ts";
import { VERSION } from "../version.ts";
import { type Command, JSON_FLAG, switchFlag } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { localConfig, NoDatabaseError } from "./local.ts";
import { settingFlags } from "./setting_flags.ts";
import { facts } from "./table.ts";

const MEGABYTE = 1024 * 1024;

/** How far others go first, as the system counts it: 0 is usual, 19 is last. */
const NICENESS = 10;

/** Writes everything that the database holds to one file, while the proxy runs or not. */
export const backup: Command = {
  name: "backup",
  group: "Care",
  summary: "Back up the database, while the proxy runs or not",
  arguments: [{ name: "PATH|-", help: "The archive to write: a tar file; - is standard output" }],
  flags: [
    ...settingFlags("--data-dir"),
    switchFlag("--force", "Replace a file that is there"),
    JSON_FLAG,
  ],
  notes: [
    "The archive holds the database as it was at one moment, checked, and a manifest with its checksum.",
    "It does not hold the master key: keep a copy of that apart from the backups.",
    "A copy as large as the database lies beside PATH meanwhile, or for - in $TMPDIR. The log of a running",
    "proxy (inference-proxy.db-wal) grows until the copy is made.",
  ],
  examples: [
    "backup /var/backups/inference-proxy.tar",
    "backup inference-proxy.tar --data-dir /var/lib/inference-proxy --force",
    "backup - | gzip > inference-proxy.tar.gz",
  ],
  run: async (line) => {
    const [path = ""] = line.words;
    const { dataDir } = localConfig(line);
    const options = {
      databasePath: databasePath(dataDir),
      programVersion: VERSION,
      nowMs: systemClock.wallMs(),
    };
    if (!existsSync(options.databasePath)) throw new NoDatabaseError(dataDir);
    // Calls come first: the proxy on the same machine goes on serving.
    setPriority(NICENESS);
    const manifest = await (path === "-"
      ? backUpToStdout(options)
      : backUpToFile(path, line.flags.has("--force"), options));
    const report = line.flags.has("--json")
      ? JSON.stringify({ path, ...manifest })
      : screen(path, options.databasePath, manifest);
    // Standard output may be the archive.
    if (path === "-") console.error(report);
    else console.log(report);
    console.error(masterKeyNote(manifest.master_key_ids));
    return EXIT.ok;
  },
};

async function backUpToStdout(options: Parameters<typeof backUp>[1]): Promise<Manifest> {
  if (process.stdout.isTTY)
    throw new FlagError("Cannot write backup: it is no text for a terminal", "name a file");
  using work = openWorkFolder(tmpdir());
  const output = Bun.stdout.writer();
  const manifest = await backUp(work.path, options, async (piece) => {
    await output.write(piece);
    await output.flush();
  });
  await output.end();
  return manifest;
}

function screen(path: string, database: string, manifest: Manifest): string {
  return facts([
    ["Backed up", database],
    ["To", path === "-" ? "standard output" : path],
    ["Taken", manifest.created_at],
    ["Schema", manifest.schema],
    ["Size", `${(manifest.database.bytes / MEGABYTE).toFixed(1)} MB`],
  ]);
}

/** Says what else is needed, at the one moment when it can still be had. */
function masterKeyNote(ids: readonly string[]): string {
  const needed = ids.length === 0 ? "" : `, id ${ids.join(" or ")}`;
  return `note: the master key is not in it. To restore it, you need the master key as well${needed}: keep a copy of it elsewhere`;
}
