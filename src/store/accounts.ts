import { MICROCENTS_PER_CENT } from "../domain/limits.ts";
import type { Month } from "../domain/month.ts";
import { RATE_WINDOW_MS, RateWindow } from "../domain/rate_window.ts";
import type { Clock } from "../std/clock.ts";
import { uuid7From } from "../std/uuid7.ts";
import { SQL } from "./asked_at_start.ts";
import type { Sqlite } from "./sqlite.ts";

/** A key's tokens in one month. Calls in flight keep theirs when the month ends, so late ones land where they began. */
export interface KeyMonth {
  readonly month: Month;
  used: number;
  held: number;
}

/** An organization's cost in one month, in microcents. */
export interface OrgMonth {
  readonly month: Month;
  settled: number;
  held: number;
}

export interface KeyAccount {
  readonly id: string;
  readonly rate: RateWindow;
  current: KeyMonth;
}

export interface OrgAccount {
  readonly id: string;
  current: OrgMonth;
  /** Null until the organization has settings. */
  limitMicrocents: number | null;
  circuitOpenedAtMs: number | null;
}

/** How long at most a call is on its way from its id to its admission. */
export const ADMISSION_LAG_MS = 5_000;

/** The wall clock counts whole milliseconds: what it says has passed may be this much too long. */
const WALL_STEP_MS = 1;

/** Below this many keys nothing is swept. */
const SWEEP_MIN = 10_000;

/** What limits are decided on, in memory: loaded from rows when first asked for, then kept in step. */
export class Accounts {
  readonly #clock: Clock;
  readonly #keys = new Map<string, KeyAccount>();
  readonly #organizations = new Map<string, OrgAccount>();
  /** Admissions of the last minute before this start, until their keys call again. */
  readonly #recent: Map<string, number[]>;
  readonly #statements;
  #sweepAt = SWEEP_MIN;

  constructor(sqlite: Sqlite, clock: Clock) {
    this.#clock = clock;
    this.#statements = prepareAccounts(sqlite);
    this.#recent = this.#readRecent();
  }

  /** Returns a key's account, with `current` at the month given. */
  key(id: string, month: Month): KeyAccount {
    let account = this.#keys.get(id);
    if (account === undefined) {
      account = { id, rate: this.rate(id), current: this.#keyMonth(id, month) };
      this.#keys.set(id, account);
      this.#recent.delete(id);
    } else if (account.current.month !== month) {
      account.current = this.#keyMonth(id, month);
    }
    return account;
  }

  /** Returns a key's admissions of the last minute. No row is read, so the database cannot fail it. */
  rate(id: string): RateWindow {
    const known = this.#keys.get(id);
    if (known !== undefined) return known.rate;
    const window = new RateWindow();
    for (const time of this.#recent.get(id) ?? []) window.add(time);
    return window;
  }

  /** Returns a key's account if it is in memory: without one it holds nothing. */
  knownKey(id: string): KeyAccount | undefined {
    return this.#keys.get(id);
  }

  /** Returns an organization's account, with `current` at the month given. */
  organization(id: string, month: Month): OrgAccount {
    let account = this.#organizations.get(id);
    if (account === undefined) {
      account = {
        id,
        current: this.#orgMonth(id, month),
        limitMicrocents: null,
        circuitOpenedAtMs: null,
      };
      this.#readSettings(account);
      this.#organizations.set(id, account);
    } else if (account.current.month !== month) {
      account.current = this.#orgMonth(id, month);
    }
    return account;
  }

  /**
   * Reads an organization's cost limit and circuit again.
   *
   * @param trippedAtMs When its circuit tripped, if that is not in its row yet; else null.
   */
  settingsChanged(organizationId: string, trippedAtMs: number | null): void {
    const account = this.#organizations.get(organizationId);
    if (account === undefined) return;
    this.#readSettings(account);
    account.circuitOpenedAtMs ??= trippedAtMs;
  }

  /** Forgets keys that nothing depends on. Only when every settlement is on disk: rows are read again. */
  sweep(): void {
    if (this.#keys.size < this.#sweepAt) return;
    const nowMs = this.#clock.monotonicMs();
    for (const account of this.#keys.values()) {
      if (account.current.held === 0 && account.rate.isEmpty(nowMs)) this.#keys.delete(account.id);
    }
    this.#sweepAt = Math.max(SWEEP_MIN, this.#keys.size * 2);
  }

  #keyMonth(id: string, month: Month): KeyMonth {
    return { month, used: this.#statements.keyMonth.get(id, month)?.used_tokens ?? 0, held: 0 };
  }

  #orgMonth(id: string, month: Month): OrgMonth {
    const settled = this.#statements.orgMonth.get(id, month)?.cost_microcents ?? 0;
    return { month, settled, held: 0 };
  }

  #readSettings(account: OrgAccount): void {
    const row = this.#statements.settings.get(account.id);
    account.limitMicrocents =
      row === null ? null : row.monthly_cost_limit_cents * MICROCENTS_PER_CENT;
    account.circuitOpenedAtMs = row?.circuit_opened_at_ms ?? null;
  }

  /** Brings wall-clock admissions onto this start's monotonic clock; one from the future counts as now. */
  #readRecent(): Map<string, number[]> {
    const wallMs = this.#clock.wallMs();
    const nowMs = this.#clock.monotonicMs();
    const recent = new Map<string, number[]>();
    const firstId = uuid7From(wallMs - RATE_WINDOW_MS - ADMISSION_LAG_MS);
    for (const row of this.#statements.recentCalls.all(firstId)) {
      const times = recent.get(row.key_id) ?? [];
      const ageMs = wallMs - row.admitted_at_ms - WALL_STEP_MS;
      times.push(nowMs - Math.max(0, ageMs));
      recent.set(row.key_id, times);
    }
    for (const times of recent.values()) times.sort((a, b) => a - b);
    return recent;
  }
}

function prepareAccounts({ connection }: Sqlite) {
  return {
    keyMonth: connection.prepare<{ used_tokens: number }, [string, Month]>(SQL.keyMonth),
    orgMonth: connection.prepare<{ cost_microcents: number }, [string, Month]>(SQL.orgMonth),
    settings: connection.prepare<
      { monthly_cost_limit_cents: number; circuit_opened_at_ms: number | null },
      [string]
    >(SQL.costSettings),
    recentCalls: connection.prepare<{ key_id: string; admitted_at_ms: number }, [string]>(
      SQL.recentCalls,
    ),
  };
}
