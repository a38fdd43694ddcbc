import { SQL } from "./asked_at_start.ts";
import { type Act, recordAuditEvent } from "./audit.ts";
import type { MasterKey } from "./master_key_crypto.ts";
import { rowsOf } from "./rows_of.ts";
import type { Db, Row } from "./tables.ts";

/** The master keys of a database: one, or two while what the previous one sealed is sealed again. */
export interface KeyRing {
  /** Seals whatever is sealed from now on. */
  readonly primary: MasterKey;
  /** Opens what is still sealed by it; null if there is no such key any more. */
  readonly previous: MasterKey | null;
}

/** The master key offered is not one that the database needs. */
export class WrongMasterKeyError extends Error {
  /** One of these is needed. */
  readonly neededIds: readonly string[];
  readonly offeredId: string;
  /** Where the key offered lies, and where beside it one that is needed; null if nothing is known of that. */
  readonly place: { readonly path: string; readonly foundAt: string | null } | null;

  constructor(
    neededIds: readonly string[],
    offeredId: string,
    place: WrongMasterKeyError["place"] = null,
  ) {
    // Two keys can share an id of 4 bytes, and only one of them opens the check value.
    const offered = neededIds.includes(offeredId)
      ? "the key offered only shares its id"
      : offeredId;
    super(
      `Cannot open vault: the database needs master key ${neededIds.join(" or ")}, offered: ${offered}`,
    );
    this.neededIds = neededIds;
    this.offeredId = offeredId;
    this.place = place;
  }
}

/** What the database says about its master keys contradicts itself: somebody changed it. */
export class DamagedKeyRingError extends Error {
  constructor(why: string) {
    super(`Cannot open vault: ${why}`);
  }
}

/** The master keys are not any more what they were when a change of them was prepared. */
export class KeyRingChangedError extends Error {
  constructor() {
    super("Cannot change master key: it was changed just now");
  }
}

/** Returns the ids of the master keys of which a database needs one: none before it met the first. */
export async function neededMasterKeyIds(db: Db): Promise<string[]> {
  const rows = await rowsOf<Pick<Row<"master_keys">, "id">>(db, SQL.masterKeyIds);
  return rows.map((row) => row.id);
}

/**
 * Opens the master keys of a database with any one of them. The first that a database meets is the one it
 * needs from then on.
 *
 * @throws {WrongMasterKeyError} If the database needs another key; then nothing was written.
 * @throws {DamagedKeyRingError} If the other key cannot be opened with this one.
 */
export async function openKeyRing(db: Db, offered: MasterKey, nowMs: number): Promise<KeyRing> {
  const rows = await rowsOf<Row<"master_keys">>(db, SQL.masterKeys);
  const ids = rows.map((row) => row.id);
  const own = rows.find((row) => row.id === offered.id);
  if (own === undefined && rows.length > 0) throw new WrongMasterKeyError(ids, offered.id);
  await requireNoOthers(db, own === undefined ? [offered.id] : ids, offered);
  if (own === undefined) {
    await insertFirstKey(db, offered, nowMs);
    return { primary: offered, previous: null };
  }
  if (!(await offered.passes(own.check_value))) throw new WrongMasterKeyError(ids, offered.id);
  if (rows.length === 1) return { primary: offered, previous: null };
  const other = await openOther(rows, offered);
  return own.is_primary === 1
    ? { primary: offered, previous: other }
    : { primary: other, previous: offered };
}

/** Makes a new key the primary one; the one before stays until nothing is sealed by it any more. */
export async function addNextKey(
  db: Db,
  ring: KeyRing,
  next: PreparedKey,
  act: Act,
): Promise<KeyRing> {
  await requireUnchanged(db, ring);
  await db
    .updateTable("master_keys")
    .set({ is_primary: 0, wrapped_key: next.previousWrapped })
    .where("id", "=", ring.primary.id)
    .execute();
  await db
    .insertInto("master_keys")
    .values({
      id: next.key.id,
      check_value: next.checkValue,
      is_primary: 1,
      wrapped_key: next.wrapped,
      created_at_ms: act.nowMs,
    })
    .execute();
  return turned(db, { primary: next.key, previous: ring.primary }, act);
}

/** Makes the previous key the primary one again. */
export async function turnBack(
  db: Db,
  ring: KeyRing & { readonly previous: MasterKey },
  act: Act,
): Promise<KeyRing> {
  await requireUnchanged(db, ring);
  for (const [key, flag] of [
    [ring.primary, 0],
    [ring.previous, 1],
  ] as const)
    await db
      .updateTable("master_keys")
      .set({ is_primary: flag })
      .where("id", "=", key.id)
      .execute();
  return turned(db, { primary: ring.previous, previous: ring.primary }, act);
}

/** Forgets the previous key. @throws {SQLiteError} If something is still sealed by it. */
export async function dropPreviousKey(
  db: Db,
  ring: KeyRing & { readonly previous: MasterKey },
  act: Act,
): Promise<KeyRing> {
  const { primary, previous } = ring;
  await requireUnchanged(db, ring);
  await db.deleteFrom("master_keys").where("id", "=", previous.id).execute();
  await db
    .updateTable("master_keys")
    .set({ wrapped_key: null })
    .where("id", "=", primary.id)
    .execute();
  await recordAuditEvent(db, act, {
    organizationId: null,
    action: "master_key.finish",
    target: primary.id,
    detail: { previous_key_id: previous.id },
  });
  return { primary, previous: null };
}

/** A new master key with everything that its row says: it is computed before the transaction that writes it. */
export interface PreparedKey {
  readonly key: MasterKey;
  readonly checkValue: string;
  /** The new key, sealed by the one before it. */
  readonly wrapped: string;
  /** The key before it, sealed by the new one. */
  readonly previousWrapped: string;
}

/** Prepares a new key to follow the primary one. */
export async function prepareNextKey(ring: KeyRing, key: MasterKey): Promise<PreparedKey> {
  return {
    key,
    checkValue: await key.checkValue(),
    wrapped: await ring.primary.wrap(key),
    previousWrapped: await key.wrap(ring.primary),
  };
}

async function turned(
  db: Db,
  ring: KeyRing & { readonly previous: MasterKey },
  act: Act,
): Promise<KeyRing> {
  await recordAuditEvent(db, act, {
    organizationId: null,
    action: "master_key.rotate",
    target: ring.primary.id,
    detail: { previous_key_id: ring.previous.id },
  });
  return ring;
}

/** The caller decided by what it knew. Another change may have come first. */
async function requireUnchanged(db: Db, { primary, previous }: KeyRing): Promise<void> {
  const rows = await db.selectFrom("master_keys").select(["id", "is_primary"]).execute();
  const found = (id: string, flag: 0 | 1) =>
    rows.some((row) => row.id === id && row.is_primary === flag);
  const same =
    rows.length === (previous === null ? 1 : 2) &&
    found(primary.id, 1) &&
    (previous === null || found(previous.id, 0));
  if (!same) throw new KeyRingChangedError();
}

async function insertFirstKey(db: Db, key: MasterKey, nowMs: number): Promise<void> {
  const check_value = await key.checkValue();
  const values = { id: key.id, check_value, is_primary: 1, wrapped_key: null } as const;
  await db
    .insertInto("master_keys")
    .values({ ...values, created_at_ms: nowMs })
    .execute();
}

async function openOther(
  rows: readonly Row<"master_keys">[],
  offered: MasterKey,
): Promise<MasterKey> {
  const others = rows.filter((row) => row.id !== offered.id);
  const [other] = others;
  const primaries = rows.filter((row) => row.is_primary === 1).length;
  if (other === undefined || others.length > 1 || primaries !== 1)
    throw new DamagedKeyRingError("the rows of its master keys contradict each other");
  const key = await offered.unwrap(other.wrapped_key ?? "", other.id);
  if (key !== null && key.id === other.id && (await key.passes(other.check_value))) return key;
  throw new DamagedKeyRingError(
    `master key ${other.id} does not open with ${offered.id}: what is stored of it was changed`,
  );
}

/** Rows sealed by a key that the database does not list would be lost without a word. */
async function requireNoOthers(
  db: Db,
  known: readonly string[],
  offered: MasterKey,
): Promise<void> {
  const sealed = await rowsOf<{ master_key_id: string }>(db, SQL.sealingKeyIds);
  const unknown = sealed.map((row) => row.master_key_id).filter((id) => !known.includes(id));
  if (unknown.length > 0) throw new WrongMasterKeyError(unknown, offered.id);
}
