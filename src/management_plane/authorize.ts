import { parseUuid } from "../std/uuid.ts";
import {
  findOrganization,
  findOrganizationAsOperator,
  type OrganizationOfMember,
} from "../store/organizations.ts";
import type { Db, Row } from "../store/tables.ts";
import { ManagementError } from "./error_response.ts";

/** Who may use a route of an organization: every member, or only owners and admins. */
export type OrganizationAccess = "member" | "manager";

/**
 * Returns the organization if the operator asks, or if the user may do this there. Whoever is no member learns nothing: the answer is
 * the same as for an organization that does not exist.
 *
 * @throws {ManagementError} If not.
 */
export async function authorize(
  db: Db,
  user: Row<"users"> | null,
  organizationId: string,
  access: OrganizationAccess,
): Promise<OrganizationOfMember> {
  const id = parseUuid(organizationId);
  const organization = id === null ? undefined : await find(db, user, id);
  if (organization === undefined) {
    throw new ManagementError(
      "organization_not_found",
      "Cannot find organization: there is none with this id that you are a member of",
    );
  }
  if (access === "manager" && organization.role === "member") {
    throw new ManagementError(
      "forbidden",
      "Cannot manage organization: your role is member, and this takes an owner or admin",
    );
  }
  return organization;
}

function find(db: Db, user: Row<"users"> | null, id: string) {
  return user === null ? findOrganizationAsOperator(db, id) : findOrganization(db, user.id, id);
}

/**
 * Checks the header that published clients send along with the organization in the path.
 *
 * @throws {ManagementError} If the two contradict each other.
 */
export function requireSameOrganization(request: Request, organizationId: string): void {
  const active = request.headers.get("x-active-org-id");
  if (active === null || active === "" || active.toLowerCase() === organizationId) return;
  throw new ManagementError(
    "invalid_request",
    "Cannot act on organization: header X-Active-Org-ID names another one than the path",
  );
}
