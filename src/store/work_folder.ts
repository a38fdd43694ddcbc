import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

/** A folder that only this user may enter, removed with all that is in it at the end of the scope. */
export interface WorkFolder extends Disposable {
  readonly path: string;
}

/** Makes a folder for files that are not finished yet, on the same file system as their final place. */
export function openWorkFolder(parent: string): WorkFolder {
  const path = mkdtempSync(join(parent, ".inference-proxy-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
