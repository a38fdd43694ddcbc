import { databasePath } from "../../app.ts";
import { PROVIDER_IDS, type ProviderId } from "../../domain/provider.ts";
import { systemAct } from "../../store/audit.ts";
import { readMasterKeyFile } from "../../store/master_key_file.ts";
import { createOrganization } from "../../store/organizations.ts";
import { closeReader, closeSqlite, openReader, openSqlite } from "../../store/sqlite.ts";
import type { Row } from "../../store/tables.ts";
import { type KeyOwner, Vault } from "../../store/vault.ts";

/** How many rows are written or opened at once. */
const BATCH_ROWS = 500;

/** What the key of a row is: no two rows have the same. */
function keyOf(configId: string): string {
  return `sk-${configId}`;
}

/** Adds provider configs of new organizations, each with a key of its own, while no server runs. */
export async function addRows(dataDir: string, keyPath: string, rows: number): Promise<void> {
  const { db, connection } = openSqlite(databasePath(dataDir));
  try {
    const vault = await Vault.open(db, readKey(keyPath), 0);
    const owners: KeyOwner[] = [];
    await db.transaction().execute(async (tx) => {
      for (let number = 0; owners.length < rows; number += 1) {
        const slug = `torture-${number}`;
        const organization = await createOrganization(tx, systemAct(0), { name: slug, slug });
        for (const provider of PROVIDER_IDS) owners.push(ownerOf(organization.id, provider));
      }
    });
    for (let at = 0; at < rows; at += BATCH_ROWS) {
      const values = await Promise.all(
        owners.slice(at, Math.min(at + BATCH_ROWS, rows)).map(async (owner) => ({
          id: owner.configId,
          organization_id: owner.organizationId,
          provider: owner.provider,
          base_url: null,
          eu_endpoint: 0 as const,
          enabled: 1 as const,
          sealed_key: await vault.sealProviderKey(keyOf(owner.configId), owner),
          master_key_id: vault.keyId,
          created_at_ms: 0,
          updated_at_ms: 0,
        })),
      );
      await db.insertInto("provider_configs").values(values).execute();
    }
  } finally {
    await closeSqlite({ db, connection });
  }
}

/**
 * Opens every provider key with the master key in its place, beside a server that may run, after a rotation.
 *
 * @returns A line for each row whose key is unreadable, another one, or not sealed by the one key that is left.
 */
export async function lookAtRows(dataDir: string, keyPath: string): Promise<string[]> {
  const reader = openReader(databasePath(dataDir));
  try {
    const vault = await Vault.open(reader.db, readKey(keyPath), 0);
    const { previous } = vault.ring;
    const faults = previous === null ? [] : [`master key ${previous.id} is not forgotten`];
    const rows = await reader.db.selectFrom("provider_configs").selectAll().execute();
    for (let at = 0; at < rows.length; at += BATCH_ROWS) {
      const found = rows.slice(at, at + BATCH_ROWS).map((row) => rowFaults(row, vault));
      faults.push(...(await Promise.all(found)).flat());
    }
    return faults;
  } finally {
    await closeReader(reader);
  }
}

async function rowFaults(row: Row<"provider_configs">, vault: Vault): Promise<string[]> {
  const { id, organization_id: organizationId, provider } = row;
  const owner = { organizationId, provider, configId: id };
  const key = await vault.openProviderKey(row.sealed_key, owner).catch(() => null);
  if (key === null) return [`the key of row ${id} is unreadable`];
  // The rows that calls use were made by the management plane, with keys of its own.
  const isOurs = id === ownerOf(organizationId, provider).configId;
  if (isOurs && key.reveal() !== keyOf(id)) return [`the key of row ${id} is another one`];
  return row.master_key_id === vault.keyId ? [] : [`row ${id} is under an old key`];
}

function ownerOf(organizationId: string, provider: ProviderId): KeyOwner {
  return { organizationId, provider, configId: `${provider}-${organizationId}` };
}

function readKey(path: string): Uint8Array<ArrayBuffer> {
  const key = readMasterKeyFile(path);
  if (key === null) throw new Error(`Cannot look at rows: there is no master key "${path}"`);
  return key;
}
