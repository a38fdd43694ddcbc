import { formatRfc3339 } from "../std/rfc3339.ts";
import { listOrganizations, type OrganizationOfMember } from "../store/organizations.ts";
import type { OrganizationCall, UserCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import { jsonResponse } from "./json_response.ts";

/** Answers with the organizations that the user is a member of. */
export async function list(call: UserCall, deps: ManagementDeps): Promise<Response> {
  const organizations = await listOrganizations(deps.db, call.user.id);
  return jsonResponse(200, { organizations: organizations.map(view) });
}

/** Answers with one organization. */
export async function get(call: OrganizationCall): Promise<Response> {
  return jsonResponse(200, view(call.organization));
}

function view(organization: OrganizationOfMember) {
  return {
    id: organization.id,
    name: organization.name,
    slug: organization.slug,
    is_personal: organization.is_personal === 1,
    role: organization.role,
    created_at: formatRfc3339(organization.created_at_ms),
  };
}
