import { CAPACITY, CAPACITY_NAME } from "../../fetch_capacity.ts";
import type { ProcessFacts } from "../../management_plane/deps.ts";
import { bytesText } from "../bytes.ts";
import { type Check, fail, ok, warn } from "./check.ts";

/** A clock that is set by a time server is closer than this, in seconds. */
const CLOCK_BEHIND_S_MAX = 60;

/** What a call may take beside what the settings give it, in seconds. */
const CALL_MARGIN_S = 120;

/** A call is one connection to the client and one to the provider; the process itself has some more files. */
const FILES_PER_CALL = 2;
const OWN_FILES = 100;

/** Work that waits longer for its turn shows in every answer, in milliseconds. */
const LAG_MS_MAX = 1000;

/** Above this share of what there may be, it is time to look. */
const FULL = 0.8;

/** Judges what a running process says of itself. */
export function checkProcess(facts: ProcessFacts): Check[] {
  return [
    ...(facts.draining ? [DRAINING] : []),
    facts.ledger_writable ? ok("ledger", "it can be written") : UNWRITABLE,
    checkHolds(facts),
    checkMemory(facts),
    checkLag(facts),
    checkFiles(facts),
    checkCapacity(facts),
    facts.jit_active ? ok("JIT", "the engine compiles to machine code") : NO_JIT,
  ];
}

const DRAINING = warn(
  "stop",
  "the server is about to stop and takes no new calls",
  "wait until it has, then start it again",
);

const UNWRITABLE = fail(
  "ledger",
  "it cannot be written, so all calls are refused",
  "see the log: the disk is full or fails, or another process holds the database",
);

const NO_JIT = warn(
  "JIT",
  "the engine may not compile to machine code, so it is several times slower",
  "take MemoryDenyWriteExecute= out of the unit, and BUN_JSC_useJIT out of its environment",
);

function checkHolds({ holds_pending, oldest_hold_s, settings }: ProcessFacts): Check {
  const seconds = (flag: string) =>
    Number(settings.find(({ name }) => name === flag)?.value ?? Number.NaN);
  const longest = seconds("--upstream-headers-timeout-s") + seconds("--answer-time-limit-s");
  const pending = `${holds_pending} not settled`;
  if (oldest_hold_s === null) return ok("holds", pending);
  const detail = `${pending}, the oldest for ${oldest_hold_s} s`;
  if (!(oldest_hold_s > longest + CALL_MARGIN_S)) return ok("holds", detail);
  return warn(
    "holds",
    `${detail}, which is longer than a call may take`,
    "restart the proxy, which settles it as an estimate",
  );
}

function checkMemory({ memory_bytes, memory_limit_bytes }: ProcessFacts): Check {
  const name = "memory";
  if (memory_limit_bytes === 0) return ok(name, `${bytesText(memory_bytes)}, without a limit`);
  const detail = `${bytesText(memory_bytes)} of ${bytesText(memory_limit_bytes)}`;
  const fix = "give it more (MemoryMax= of the unit, --memory-limit-mb), or lower --concurrency";
  if (memory_bytes > memory_limit_bytes) return fail(name, `${detail}: calls are refused`, fix);
  return memory_bytes > memory_limit_bytes * FULL ? warn(name, detail, fix) : ok(name, detail);
}

function checkLag({ loop_lag_ms }: ProcessFacts): Check {
  const name = "event loop";
  if (loop_lag_ms === null) return ok(name, "not measured yet");
  const detail = `work waited ${loop_lag_ms.toFixed(0)} ms at most in the last minute`;
  if (loop_lag_ms <= LAG_MS_MAX) return ok(name, detail);
  return warn(name, detail, "look for what else uses the processor or the disk of this machine");
}

function checkFiles({ open_files, open_files_soft, concurrency }: ProcessFacts): Check {
  const name = "open files";
  const used = open_files === null ? "" : `${open_files} of `;
  if (open_files_soft === null) return ok(name, `${used}as many as it takes`);
  const detail = `${used}${open_files_soft}`;
  const fix = "LimitNOFILE=65536 in the unit (else ulimit -n 65536), or a lower --concurrency";
  if ((open_files ?? 0) > open_files_soft * FULL) return fail(name, detail, fix);
  const needed = concurrency * FILES_PER_CALL + OWN_FILES;
  if (open_files_soft >= needed) return ok(name, detail);
  return warn(name, `${detail}, and ${concurrency} calls at once take ${needed}`, fix);
}

function checkCapacity({ fetch_capacity, concurrency }: ProcessFacts): Check {
  const name = "requests to providers";
  const detail = `${fetch_capacity} at once`;
  if (fetch_capacity >= concurrency) return ok(name, detail);
  const fix = `start it with ${CAPACITY_NAME}=${CAPACITY}, or a lower --concurrency`;
  return warn(name, `${detail}, fewer than the ${concurrency} calls that are served`, fix);
}

/** Judges what a process found around itself: the time, and variables that are no settings. */
export function checkSurroundings(
  facts: Pick<ProcessFacts, "authorities" | "clock_behind_s" | "proxies">,
): Check[] {
  return [checkClock(facts), checkProxies(facts), checkAuthorities(facts)];
}

function checkClock({ clock_behind_s: behind }: Pick<ProcessFacts, "clock_behind_s">): Check {
  if (behind <= CLOCK_BEHIND_S_MAX) return ok("clock", "in step with what is written down");
  const detail = `${behind} s behind the last thing that was written down: bills and limits go by it`;
  return warn("clock", detail, "set the clock of this machine by a time server: timedatectl");
}

function checkProxies({ proxies }: Pick<ProcessFacts, "proxies">): Check {
  if (proxies.length === 0) return ok("HTTP proxies", "none is named");
  const names = proxies.join(", ");
  return warn(
    "HTTP proxies",
    `${names} ${proxies.length === 1 ? "names one, which is" : "name some, which are"} not used: providers are called directly`,
    "let this machine reach the providers itself; unset it if nothing else needs it",
  );
}

function checkAuthorities({ authorities }: Pick<ProcessFacts, "authorities">): Check {
  const name = "certificates";
  const missing = authorities.filter(({ readable }) => !readable);
  const named = (some: typeof authorities) =>
    some.map((one) => `${one.name}=${one.path}`).join(", ");
  if (missing.length > 0) {
    const fix = "put a file there that the proxy may read, or unset the variable; then restart it";
    return fail(name, `${named(missing)} cannot be read`, fix);
  }
  const others = authorities.length === 0 ? "" : `; named as well: ${named(authorities)}`;
  return ok(name, `the authorities of this machine are trusted${others}`);
}
