import type { Database } from "bun:sqlite";

/** A database contradicts itself: its file was changed or its disk failed. */
export class DamagedDatabaseError extends Error {
  readonly path: string;
  /** What the check found first. */
  readonly damage: string;

  constructor(path: string, damage: string) {
    super(`Cannot use database "${path}": it is damaged`);
    this.path = path;
    this.damage = damage;
  }
}

/** How thorough a check is: `quick` leaves out whether indexes agree with their tables. */
export type CheckDepth = "quick" | "full";

/** Reads the whole database and returns the first thing that is wrong with it, or null if nothing is. */
export function findDamage(connection: Database, depth: CheckDepth): string | null {
  try {
    return findContradiction(connection, depth);
  } catch (error) {
    const damage = damageSaid(error);
    if (damage === null) throw error;
    return damage;
  }
}

/** Returns what an error says about a damaged database, or null if it is about something else. */
export function damageSaid(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error)) return null;
  return /^SQLITE_(CORRUPT|NOTADB)/.test(String(error.code)) ? error.message : null;
}

function findContradiction(connection: Database, depth: CheckDepth): string | null {
  const check = depth === "quick" ? "quick_check" : "integrity_check";
  const [found] = connection.query<Record<string, string>, []>(`pragma ${check}(1)`).all();
  const says = Object.values(found ?? {})[0] ?? "the check says nothing";
  if (says !== "ok") return says;
  const orphan = connection.query<{ table: string }, []>("pragma foreign_key_check").get();
  return orphan === null ? null : `a row of ${orphan.table} refers to one that is not there`;
}
