import type { Db, Row } from "./tables.ts";

/** Finds a call of an organization by its id, as long as it is kept. */
export function findCall(
  db: Db,
  organizationId: string,
  callId: string,
): Promise<Row<"calls"> | undefined> {
  return db
    .selectFrom("calls")
    .selectAll()
    .where("id", "=", callId)
    .where("organization_id", "=", organizationId)
    .executeTakeFirst();
}
