import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MICROCENTS_PER_CENT } from "../../domain/limits.ts";
import { migrate } from "../../store/migrate.ts";
import { createOrganization } from "../../store/organizations.ts";
import { saveSettings } from "../../store/settings.ts";
import { closeSqlite, openSqlite } from "../../store/sqlite.ts";
import type { PartOptions } from "./part.ts";
import { Random } from "./random.ts";
import { Simulation } from "./simulation.ts";
import { Violation } from "./violation.ts";

/** How many things happen in one simulation. */
const STEPS = 150;

/** How much of what happened is shown when a promise is broken. */
const TRACE_SHOWN = 25;

const LIMIT_CENTS = 20;

const SEEDS = { quick: 300, long: 5000 };

/** What simulations came to. */
export interface Simulated {
  readonly seeds: number;
  readonly steps: number;
  readonly stepsPerSecond: number;
  /** What happened in the last one. */
  readonly trace: readonly string[];
}

/** Runs the ledger beside a plain one, under operations, clocks and crashes that a seed decides. */
export async function simulated({ long, seed }: PartOptions): Promise<string> {
  const { seeds, steps, stepsPerSecond } = await simulate(seed, long ? SEEDS.long : SEEDS.quick);
  return `${seeds} seeds from ${seed}, ${steps} steps, ${stepsPerSecond} a second, 0 promises broken`;
}

/**
 * Runs a simulation for each seed from the first.
 *
 * @param sabotage SQL that breaks the database on purpose, to see that it is noticed.
 * @throws {Violation} At the first promise that is broken.
 */
export async function simulate(
  firstSeed: number,
  seeds: number,
  sabotage: string | null = null,
): Promise<Simulated> {
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "simulate-"));
  const startMs = performance.now();
  const trace: string[] = [];
  try {
    const template = await createTemplate(join(folder, "template.db"), sabotage);
    for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
      trace.splice(0, trace.length, ...(await runSeed(seed, folder, template)));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const steps = seeds * STEPS;
  const seconds = (performance.now() - startMs) / 1000;
  return { seeds, steps, stepsPerSecond: Math.round(steps / seconds), trace };
}

/** An empty database with the organizations of every simulation. */
interface Template {
  readonly path: string;
  readonly organizationIds: readonly string[];
}

async function createTemplate(path: string, sabotage: string | null): Promise<Template> {
  const sqlite = openSqlite(path, "normal");
  await migrate(sqlite.db);
  const act = { actor: "owner", address: "192.0.2.1", nowMs: 0 };
  const organizationIds: string[] = [];
  for (const slug of ["acme", "other"]) {
    const { id } = await createOrganization(sqlite.db, act, { name: slug, slug });
    organizationIds.push(id);
    await saveSettings(sqlite.db, act, id, {
      euOnly: false,
      monthlyCostLimitCents: LIMIT_CENTS,
      circuitOpenedAtMs: null,
    });
  }
  if (sabotage !== null) sqlite.connection.run(sabotage);
  await closeSqlite(sqlite);
  return { path, organizationIds };
}

/** Runs one simulation and returns what happened in it. */
async function runSeed(seed: number, parent: string, template: Template): Promise<string[]> {
  const folder = mkdtempSync(join(parent, "seed-"));
  const path = join(folder, "first.db");
  copyFileSync(template.path, path);
  const organizations = template.organizationIds.map((id) => {
    return { id, limitMicrocents: LIMIT_CENTS * MICROCENTS_PER_CENT, circuitOpen: false };
  });
  const simulation = new Simulation(new Random(seed), folder, path, organizations);
  let step = 0;
  try {
    for (; step < STEPS; step += 1) await simulation.step();
    await simulation.end();
  } catch (error) {
    const trace = simulation.trace.slice(-TRACE_SHOWN).join("\n  ");
    const what = error instanceof Violation ? error.message : String((error as Error).stack);
    throw new Violation(`seed ${seed}, step ${step}: ${what}\n  ...\n  ${trace}`, { cause: error });
  }
  rmSync(folder, { recursive: true, force: true });
  return simulation.trace;
}
