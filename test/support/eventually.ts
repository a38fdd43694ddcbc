/** How often a condition is looked at, in milliseconds: often enough, without keeping the machine busy. */
const LOOK_MS = 5;

/** Resolves when a condition outside of this process holds. The test's own time limit ends the wait. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(LOOK_MS);
}
