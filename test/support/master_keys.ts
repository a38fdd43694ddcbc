import { PROVIDER_IDS, type ProviderId } from "../../src/domain/provider.ts";
import { Directory } from "../../src/store/directory.ts";
import { Erasure } from "../../src/store/erasure.ts";
import { MasterKeyRotation } from "../../src/store/master_key_rotation.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { saveProviderConfig } from "../../src/store/provider_configs.ts";
import type { Sqlite } from "../../src/store/sqlite.ts";
import { Vault } from "../../src/store/vault.ts";
import { createLog } from "../../src/std/log.ts";
import { manualClock } from "./clock.ts";
import { ACT, NOW_MS } from "./store.ts";

/** Three keys that have nothing in common. */
export const OLD_KEY = Uint8Array.fromHex("a1b2c3d4e5f60718293a4b5c6d7e8f90".repeat(2));
export const NEW_KEY = Uint8Array.fromHex("00112233445566778899aabbccddeeff".repeat(2));
export const THIRD_KEY = Uint8Array.fromHex("0f1e2d3c4b5a69788796a5b4c3d2e1f0".repeat(2));

export const OLD_ID = idOf(OLD_KEY);
export const NEW_ID = idOf(NEW_KEY);
export const THIRD_ID = idOf(THIRD_KEY);

function idOf(key: Uint8Array): string {
  return Bun.SHA256.hash(key, "hex").slice(0, 8);
}

/** A database opened with a master key, and what rotates it. */
export interface OpenedVault {
  readonly vault: Vault;
  readonly directory: Directory;
  readonly rotation: MasterKeyRotation;
  readonly logged: string[];
}

export async function openVault(
  sqlite: Sqlite,
  key: Uint8Array<ArrayBuffer>,
): Promise<OpenedVault> {
  const logged: string[] = [];
  const clock = manualClock(NOW_MS);
  const log = createLog({
    level: "debug",
    human: false,
    nowMs: () => clock.wallMs(),
    write: (line) => logged.push(line),
  });
  const vault = await Vault.open(sqlite.db, key, NOW_MS);
  const directory = new Directory(sqlite);
  const erasure = new Erasure(sqlite.db, log);
  const { db } = sqlite;
  const rotation = new MasterKeyRotation({ db, vault, directory, erasure, clock, log });
  return { vault, directory, rotation, logged };
}

/** Saves a provider key for each provider of some new organizations: the key of a row says which row it is. */
export async function saveKeys({ db }: Sqlite, vault: Vault, organizations: number): Promise<void> {
  for (let number = 0; number < organizations; number += 1) {
    const name = `org-${number}`;
    const { id } = await createOrganization(db, ACT, { name, slug: name });
    for (const provider of PROVIDER_IDS) await saveKey({ db }, vault, id, provider);
  }
}

/** Saves a provider key for a provider of an organization. */
export async function saveKey(
  { db }: Pick<Sqlite, "db">,
  vault: Pick<Vault, "sealProviderKey">,
  organizationId: string,
  provider: ProviderId,
): Promise<void> {
  const id = `${provider}-${organizationId}`;
  const owner = { organizationId, provider, configId: id };
  const sealedKey = await vault.sealProviderKey(`sk-${id}`, owner);
  const values = { baseUrl: null, euEndpoint: false, enabled: true, sealedKey };
  await db
    .transaction()
    .execute((tx) => saveProviderConfig(tx, ACT, { id, organizationId, provider }, values));
}

/** Opens every provider key as a call would, and returns the ids of rows whose key is not theirs. */
export async function unreadableRows({ db }: Sqlite, vault: Vault): Promise<string[]> {
  const rows = await db.selectFrom("provider_configs").selectAll().execute();
  const unreadable: string[] = [];
  for (const { id: configId, organization_id: organizationId, provider, sealed_key } of rows) {
    const key = await vault
      .openProviderKey(sealed_key, { organizationId, provider, configId })
      .catch(() => null);
    if (key?.reveal() !== `sk-${configId}`) unreadable.push(configId);
  }
  return unreadable;
}

/** Counts rows by the master key that sealed them. */
export async function rowsByKey({ db }: Sqlite): Promise<Record<string, number>> {
  const rows = await db.selectFrom("provider_configs").select("master_key_id").execute();
  const counts: Record<string, number> = {};
  for (const { master_key_id: id } of rows) counts[`${id}`] = (counts[`${id}`] ?? 0) + 1;
  return counts;
}
