import * as v from "valibot";
import { isSlug, SLUG_CHARS_MAX, slugOf } from "../domain/names.ts";
import { formatRfc3339 } from "../std/rfc3339.ts";
import {
  createOrganization,
  findOrganizationBySlug,
  listOrganizations,
  listOrganizationsAsOperator,
  type OrganizationOfMember,
} from "../store/organizations.ts";
import type { OperatorCall, OrganizationCall, UserCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import { ManagementError } from "./error_response.ts";
import { name, text } from "./fields.ts";
import { jsonResponse } from "./json_response.ts";
import type { Organization } from "./openapi/organizations.ts";
import { readBody } from "./read_body.ts";

/** What a new organization is made of. */
export const CreateBody = v.strictObject({
  name: name(),
  slug: v.optional(
    v.pipe(
      text(),
      v.check(isSlug, `expected 1 to ${SLUG_CHARS_MAX} letters a to z, digits and hyphens`),
    ),
  ),
});

/** Answers with the organizations that the user is a member of, or all of them to the operator. */
export async function list(call: UserCall, deps: ManagementDeps): Promise<Response> {
  const organizations = await (call.user === null
    ? listOrganizationsAsOperator(deps.db)
    : listOrganizations(deps.db, call.user.id));
  return jsonResponse(200, { organizations: organizations.map(view) });
}

/** Answers with one organization. */
export async function get(call: OrganizationCall): Promise<Response> {
  return jsonResponse(200, view(call.organization));
}

/** Creates an organization. Without a slug of its own it gets one made of its name. */
export async function create(call: OperatorCall, deps: ManagementDeps): Promise<Response> {
  const body = await readBody(call.request, CreateBody);
  const slug = body.slug ?? slugOf(body.name);
  if (slug === null) throw slugRequired();
  const organization = await deps.db.transaction().execute(async (tx) => {
    if ((await findOrganizationBySlug(tx, slug)) !== undefined) throw slugTaken(slug);
    return createOrganization(tx, call.act, { name: body.name, slug });
  });
  return jsonResponse(201, view({ ...organization, role: "owner" }));
}

function slugRequired(): ManagementError {
  return new ManagementError(
    "invalid_request",
    "Cannot create organization: the name holds no letter a to z and no digit, so slug is required",
  );
}

function slugTaken(slug: string): ManagementError {
  return new ManagementError(
    "slug_taken",
    `Cannot create organization: there is one with the slug "${slug}"`,
  );
}

function view(organization: OrganizationOfMember): v.InferOutput<typeof Organization> {
  return {
    id: organization.id,
    name: organization.name,
    slug: organization.slug,
    is_personal: organization.is_personal === 1,
    role: organization.role,
    created_at: formatRfc3339(organization.created_at_ms),
  };
}
