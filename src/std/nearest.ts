/** Returns the name that was most likely meant, or null if none is close to what was written. */
export function nearest(written: string, names: readonly string[]): string | null {
  let best: string | null = null;
  let bestEdits = Math.ceil(written.length / 3) + 1;
  for (const name of names) {
    const edits = name.startsWith(written) || written.startsWith(name) ? 1 : editsTo(written, name);
    if (edits < bestEdits) [best, bestEdits] = [name, edits];
  }
  return best;
}

/** Counts the single-character insertions, deletions and replacements between two words. */
function editsTo(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 0; i < from.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j += 1) {
      const replace = (row[j] ?? 0) + (from[i] === to[j] ? 0 : 1);
      next.push(Math.min(replace, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
