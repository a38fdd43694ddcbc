import { sql } from "kysely";
import type { Clock } from "../std/clock.ts";
import type { Log } from "../std/log.ts";
import { type Act, recordAuditEvent, systemAct } from "./audit.ts";
import type { Directory } from "./directory.ts";
import type { Erasure } from "./erasure.ts";
import { MasterKey } from "./master_key_crypto.ts";
import {
  addNextKey,
  dropPreviousKey,
  type KeyRing,
  prepareNextKey,
  turnBack,
} from "./master_key_ring.ts";
import { sealedBy } from "./sealed_text.ts";
import type { Sqlite } from "./sqlite.ts";
import type { Db, Row } from "./tables.ts";
import { UnreadableProviderKeyError, type Vault } from "./vault.ts";

/** How many provider keys are sealed again at once: for that long nothing else is written. */
export const STEP_ROWS_MAX = 100;

/** How long to wait after a failure before going on, in milliseconds. */
const RETRY_MS = 1_000;

/** Where a rotation stands. */
export interface RotationState {
  /** The master key that seals. */
  readonly keyId: string;
  /** The one before it; null if there is no rotation to finish. */
  readonly previousKeyId: string | null;
  /** How many provider keys the previous one still seals. */
  readonly rowsLeft: number;
}

/** Another rotation is not finished, or the key cannot follow the one in use. */
export class RotationRefusedError extends Error {
  constructor(why: string) {
    super(`Cannot rotate master key: ${why}`);
  }
}

export interface RotationOptions {
  readonly db: Sqlite["db"];
  readonly vault: Vault;
  readonly directory: Pick<Directory, "forgetOrganization">;
  readonly erasure: Pick<Erasure, "erase">;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Replaces the master key while the proxy serves: every provider key is sealed again by the new one, a few at a
 * time. Until the rotation is finished the database opens with either key, whatever happens to the process.
 */
export class MasterKeyRotation {
  readonly #options: RotationOptions;
  #running: Promise<void> | null = null;
  /** Whether nobody else will say that the new key is in its place: this process was started with it. */
  #finishesItself = false;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: RotationOptions) {
    this.#options = options;
  }

  /** Returns where the rotation stands. */
  async state(): Promise<RotationState> {
    const { db, vault } = this.#options;
    const { primary, previous } = vault.ring;
    const rowsLeft = previous === null ? 0 : await countSealedBy(db, previous.id);
    return { keyId: primary.id, previousKeyId: previous?.id ?? null, rowsLeft };
  }

  /**
   * Makes a key the master key, and begins to seal again what the one before has sealed. With the key that is
   * the master key already it goes on; with the one before, it goes back.
   *
   * @param bytes 32 random bytes, which the operator keeps: nothing here does, but for sealed by the other key.
   * @throws {RotationRefusedError} If a rotation to another key is not finished.
   * @throws {KeyRingChangedError} If somebody else did the same just now.
   */
  async begin(bytes: Uint8Array<ArrayBuffer>, act: Act): Promise<void> {
    const { db, vault, log } = this.#options;
    const next = await MasterKey.import(bytes);
    const { ring } = vault;
    const known = [ring.primary, ring.previous].find((key) => key?.id === next.id);
    if (known?.isSameAs(next) === false)
      throw new RotationRefusedError(`the new key shares the id ${next.id} with the old one`);
    const change = await changeOf(ring, next);
    this.#finishesItself = false;
    if (change !== null) {
      vault.use(await db.transaction().execute((tx) => change(tx, act)));
      log.info("master key rotation began", { ...idsOf(vault.ring) });
    }
    this.#run();
  }

  /**
   * Seals again what is left, and forgets the previous master key. The new one must be kept where the next start
   * finds it: the previous one opens nothing any more but old backups.
   */
  async finish(act: Act): Promise<void> {
    const { db, vault, erasure, log } = this.#options;
    for (;;) {
      while ((await this.step()) > 0) await nextTurn();
      const { primary, previous } = vault.ring;
      if (previous === null) return;
      const finished = await db.transaction().execute(async (tx) => {
        // Somebody may just have stored what was sealed before the rotation began.
        if ((await countSealedBy(tx, previous.id)) > 0) return null;
        return dropPreviousKey(tx, { primary, previous }, act);
      });
      if (finished === null) continue;
      vault.use(finished);
      await erasure.erase();
      const ids = { key_id: primary.id, previous_key_id: previous.id };
      log.info("master key rotation finished", ids);
      return;
    }
  }

  /**
   * Goes on with a rotation that another process began. It is finished if the vault was opened with the new key;
   * with the old one the operator must put the new one into its place first.
   */
  resume(): void {
    const { vault, log } = this.#options;
    const { ring, openedWith } = vault;
    if (ring.previous === null) return;
    const fields = { ...idsOf(ring), opened_with: openedWith };
    this.#finishesItself = openedWith === ring.primary.id;
    if (this.#finishesItself) log.info("master key rotation goes on", fields);
    else
      log.warn(
        'master key rotation is unfinished: run "inference-proxy master-key rotate" to finish it',
        fields,
      );
    this.#run();
  }

  /** Ends the work in the background. What is left goes on at the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
  }

  /**
   * Seals some provider keys again. One that does not open is set aside: nothing can open it any more, and its
   * organization must enter it again.
   *
   * @returns How many were looked at; 0 if none are left.
   */
  async step(): Promise<number> {
    const { db, vault, directory } = this.#options;
    const { previous } = vault.ring;
    if (previous === null) return 0;
    const rows = await firstSealedBy(db, previous.id);
    const sealedAgain = await Promise.all(rows.map((row) => this.#seal(row)));
    const readable = sealedAgain.filter((one) => one.sealedKey !== null);
    if (readable.length > 0) await writeSealedAgain(db, readable);
    for (const { row, sealedKey } of sealedAgain) if (sealedKey === null) await this.#setAside(row);
    for (const row of rows) directory.forgetOrganization(row.organization_id);
    return rows.length;
  }

  async #seal(row: Row<"provider_configs">): Promise<SealedAgain> {
    const { vault } = this.#options;
    const { organization_id: organizationId, provider, id: configId } = row;
    const owner = { organizationId, provider, configId };
    try {
      const key = await vault.openProviderKey(row.sealed_key, owner);
      return { row, sealedKey: await vault.sealProviderKey(key.reveal(), owner) };
    } catch (error) {
      if (error instanceof UnreadableProviderKeyError) return { row, sealedKey: null };
      throw error;
    }
  }

  async #setAside(row: Row<"provider_configs">): Promise<void> {
    const { db, clock, log } = this.#options;
    const { id, organization_id: organizationId, provider } = row;
    const happened = await db.transaction().execute(async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable("provider_configs")
        .set({ master_key_id: null })
        .where("id", "=", id)
        .where("sealed_key", "=", row.sealed_key)
        .executeTakeFirstOrThrow();
      // Whoever changed or deleted it meanwhile has done better.
      if (numUpdatedRows === 0n) return false;
      await recordAuditEvent(tx, systemAct(clock.wallMs()), {
        organizationId,
        action: "provider_config.unreadable",
        target: id,
        detail: { provider },
      });
      return true;
    });
    if (!happened) return;
    const fields = { organization: organizationId, provider };
    log.error("provider key is unreadable and must be entered again", fields);
  }

  #run(): void {
    this.#running ??= this.#work().finally(() => {
      this.#running = null;
    });
  }

  async #work(): Promise<void> {
    const { vault, clock, log } = this.#options;
    try {
      while (!this.#stopped && (await this.step()) > 0) await nextTurn();
      if (this.#stopped || vault.ring.previous === null) return;
      if (this.#finishesItself) await this.finish(systemAct(clock.wallMs()));
      else log.info("every provider key is sealed by the new master key", idsOf(vault.ring));
    } catch (error) {
      log.error("cannot seal provider keys again", { error: String(error) });
      if (!this.#stopped) this.#timer = setTimeout(() => this.#run(), RETRY_MS);
    }
  }
}

type RingChange = (db: Db, act: Act) => Promise<KeyRing>;

/** Returns what makes a key the primary one, ready for its transaction; null if it is. */
async function changeOf(ring: KeyRing, next: MasterKey): Promise<RingChange | null> {
  const { primary, previous } = ring;
  if (next.id === primary.id) return null;
  if (next.id === previous?.id) return (db, act) => turnBack(db, { primary, previous }, act);
  if (previous !== null) {
    throw new RotationRefusedError(
      `the rotation from ${previous.id} to ${primary.id} is not finished`,
    );
  }
  const prepared = await prepareNextKey(ring, next);
  return (db, act) => addNextKey(db, ring, prepared, act);
}

function idsOf({ primary, previous }: KeyRing) {
  return { key_id: primary.id, previous_key_id: previous?.id ?? null };
}

async function countSealedBy(db: Db, keyId: string): Promise<number> {
  const { rows } = await db
    .selectFrom("provider_configs")
    .select((row) => row.fn.countAll<number>().as("rows"))
    .where("master_key_id", "=", keyId)
    .executeTakeFirstOrThrow();
  return rows;
}

function firstSealedBy(db: Db, keyId: string): Promise<Row<"provider_configs">[]> {
  return db
    .selectFrom("provider_configs")
    .selectAll()
    .where("master_key_id", "=", keyId)
    .orderBy("id")
    .limit(STEP_ROWS_MAX)
    .execute();
}

/** A row, and its provider key sealed anew; null if it does not open. */
interface SealedAgain {
  readonly row: Row<"provider_configs">;
  readonly sealedKey: string | null;
}

/** Stores keys that were sealed again, in one statement, unless their rows were changed or deleted meanwhile. */
async function writeSealedAgain(db: Db, rows: readonly SealedAgain[]): Promise<void> {
  const values = rows.map(
    ({ row, sealedKey }) =>
      sql`(${row.id}, ${row.sealed_key}, ${sealedKey}, ${sealedBy(sealedKey ?? "")})`,
  );
  await sql`
    update provider_configs
    set sealed_key = again.column3, master_key_id = again.column4
    from (values ${sql.join(values)}) as again
    where provider_configs.id = again.column1 and provider_configs.sealed_key = again.column2
  `.execute(db);
}

/** Lets calls go on between two steps. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
