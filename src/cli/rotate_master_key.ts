import { idOfSealingKey } from "../std/aes_gcm.ts";
import { MissingMasterKeyError } from "../store/master_key.ts";
import { readMasterKeyFile } from "../store/master_key_file.ts";
import { WrongMasterKeyError } from "../store/master_key_ring.ts";
import {
  ensureNextMasterKey,
  findMasterKeyBeside,
  keptMasterKeyPath,
  nextMasterKeyPath,
  swapMasterKeys,
} from "../store/master_key_swap.ts";
import { type ManagementClient, textOf } from "./management_client.ts";

/** How often to look how far a rotation has come, in milliseconds. */
const LOOK_MS = 100;

const MASTER_KEY = "/operator/master-key";

/** A rotation that is done. */
export interface Rotated {
  readonly keyId: string;
  readonly previousKeyId: string;
  /** Where the previous key is kept, for backups from before. */
  readonly keptAt: string;
}

/** The server ended while it was talked to. */
export class RotationInterruptedError extends Error {
  readonly fix = "run it again, with the server or without: it goes on where it was";

  constructor(why: string) {
    super(`Cannot go on with the rotation: the server does not answer any more (${why})`);
  }
}

/**
 * Replaces the master key in a file and in the database that it opens. Killed at any moment, it can be run again
 * and goes on: the file always holds a key that opens the database.
 *
 * @param client Speaks to the proxy as its operator.
 * @param path Where the next start looks for the key.
 * @param note Takes a line for whoever watches.
 * @throws {WrongMasterKeyError} If the file's key is not the database's.
 * @throws {ManagementRefusal} If the proxy refuses.
 * @throws {RotationInterruptedError} If it ends meanwhile.
 */
export async function rotateMasterKey(
  client: ManagementClient,
  path: string,
  note: (line: string) => void,
): Promise<Rotated> {
  try {
    return await rotate(client, path, note);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ECONNRESET" || code === "ECONNREFUSED") throw new RotationInterruptedError(code);
    throw error;
  }
}

async function rotate(
  client: ManagementClient,
  path: string,
  note: (line: string) => void,
): Promise<Rotated> {
  const state = await stateOf(client);
  const held = requireHeld(path, state);
  if (state.previousKeyId !== null && held.id === state.keyId) {
    note("the new key is in its place: going on to forget the old one");
    await sealAgain(client, held.key, note);
    return finish(client, path, { keyId: state.keyId, previousKeyId: state.previousKeyId });
  }
  if (state.previousKeyId !== null && nextId(path) !== state.keyId) {
    note(
      `the new key is not in ${nextMasterKeyPath(path)} any more: going back to the old one first`,
    );
    await sealAgain(client, held.key, note);
    await client.call("POST", `${MASTER_KEY}/rotation/finish`);
  }
  const next = ensureNextMasterKey(path);
  const keyId = idOfSealingKey(next);
  await sealAgain(client, next, note);
  swapMasterKeys(path);
  return finish(client, path, { keyId, previousKeyId: held.id });
}

interface State {
  readonly keyId: string;
  readonly previousKeyId: string | null;
  readonly rowsLeft: number;
}

async function stateOf(client: ManagementClient): Promise<State> {
  const answer = await client.call("GET", MASTER_KEY);
  const { previous_key_id: previous, rows_left: rowsLeft } = answer;
  return {
    keyId: textOf(answer, "key_id"),
    previousKeyId: typeof previous === "string" ? previous : null,
    rowsLeft: Number(rowsLeft),
  };
}

/** Returns the key in the file, which must be one that the database needs. */
function requireHeld(path: string, { keyId, previousKeyId }: State) {
  const neededIds = previousKeyId === null ? [keyId] : [previousKeyId, keyId];
  const key = readMasterKeyFile(path);
  const foundAt = findMasterKeyBeside(path, neededIds);
  if (key === null) throw new MissingMasterKeyError(path, neededIds, foundAt);
  const id = idOfSealingKey(key);
  if (!neededIds.includes(id)) throw new WrongMasterKeyError(neededIds, id, { path, foundAt });
  return { key, id };
}

function nextId(path: string): string | null {
  const next = readMasterKeyFile(nextMasterKeyPath(path));
  return next === null ? null : idOfSealingKey(next);
}

/** Hands the key over and waits until every provider key is sealed by it. */
async function sealAgain(
  client: ManagementClient,
  key: Uint8Array,
  note: (line: string) => void,
): Promise<void> {
  await client.call("POST", `${MASTER_KEY}/rotation`, { new_key: key.toBase64() });
  for (let before = -1; ;) {
    const { rowsLeft } = await stateOf(client);
    if (rowsLeft === 0) return;
    if (rowsLeft !== before) note(`provider keys left to be sealed by the new key: ${rowsLeft}`);
    before = rowsLeft;
    await Bun.sleep(LOOK_MS);
  }
}

async function finish(
  client: ManagementClient,
  path: string,
  { keyId, previousKeyId }: Pick<Rotated, "keyId" | "previousKeyId">,
): Promise<Rotated> {
  await client.call("POST", `${MASTER_KEY}/rotation/finish`);
  return { keyId, previousKeyId, keptAt: keptMasterKeyPath(path, previousKeyId) };
}
