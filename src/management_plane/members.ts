import * as v from "valibot";
import { type Role, ROLES } from "../domain/organization.ts";
import { formatRfc3339 } from "../std/rfc3339.ts";
import { parseUuid } from "../std/uuid.ts";
import {
  addMember,
  countOwners,
  findMember,
  listMembers,
  type Member,
  removeMember,
} from "../store/memberships.ts";
import type { Db, Row } from "../store/tables.ts";
import { createUser, findUser } from "../store/users.ts";
import { hashPassword } from "./authenticate.ts";
import { authorize } from "./authorize.ts";
import type { OrganizationCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import { ManagementError } from "./error_response.ts";
import { newPassword, oneOf, userName } from "./fields.ts";
import { emptyResponse, jsonResponse } from "./json_response.ts";
import type { Member as MemberView } from "./openapi/members.ts";
import { readBody } from "./read_body.ts";

/** Who becomes a member, and as what. */
export const AddBody = v.strictObject({
  user: userName(),
  role: oneOf(...ROLES),
  password: v.optional(newPassword()),
});

/** Answers with the members of the organization. */
export async function list(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  const members = await listMembers(deps.db, call.organization.id);
  return jsonResponse(200, { members: members.map(view) });
}

/** Makes a user a member. One who does not exist yet is created, with the password given. */
export async function add(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  const { user: name, role, password } = await readBody(call.request, AddBody);
  requireMayManage(call, role);
  const organizationId = call.organization.id;
  const known = await findUser(deps.db, name);
  if (known === undefined && password === undefined) throw passwordRequired();
  // Hashed before the transaction: nothing but queries may be awaited inside.
  const passwordHash =
    known !== undefined || password === undefined ? null : await hashPassword(password, deps);
  const member = await deps.db.transaction().execute(async (tx) => {
    // Hashing took its time: whoever asks may have been removed meanwhile.
    const organization = await authorize(tx, call.user, organizationId, "manager");
    requireMayManage({ organization }, role);
    const user =
      (await existingUser(tx, { organizationId, name, password })) ??
      (passwordHash === null ? null : await createUser(tx, call.act, { name, passwordHash }));
    if (user === null) throw passwordRequired();
    await addMember(tx, call.act, { organizationId, userId: user.id, role });
    return { user_id: user.id, user: name, role, created_at_ms: call.act.nowMs };
  });
  return jsonResponse(201, view(member));
}

/** Ends a membership. It holds from the next request of that user on. */
export async function remove(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  const organizationId = call.organization.id;
  const userId = parseUuid(call.params["userId"] ?? "");
  await deps.db.transaction().execute(async (tx) => {
    const member = userId === null ? undefined : await findMember(tx, organizationId, userId);
    if (member === undefined) throw memberNotFound();
    requireMayManage(call, member.role);
    if (member.role === "owner" && (await countOwners(tx, organizationId)) === 1) throw lastOwner();
    await removeMember(tx, call.act, { organizationId, userId: member.user_id });
  });
  return emptyResponse();
}

/** Owners manage everybody, admins only members of the role member. @throws {ManagementError} */
function requireMayManage(
  { organization }: Pick<OrganizationCall, "organization">,
  role: Role,
): void {
  if (organization.role === "owner" || role === "member") return;
  throw new ManagementError(
    "forbidden",
    `Cannot manage members of role ${role}: this takes an owner`,
  );
}

interface NewMember {
  readonly organizationId: string;
  readonly name: string;
  readonly password: string | undefined;
}

/** Finds a user who is no member yet. Their password stays as it is: it is theirs in other organizations too. */
async function existingUser(
  db: Db,
  { organizationId, name, password }: NewMember,
): Promise<Row<"users"> | null> {
  const user = await findUser(db, name);
  if (user === undefined) return null;
  if ((await findMember(db, organizationId, user.id)) !== undefined) throw alreadyMember();
  if (password === undefined) return user;
  throw new ManagementError(
    "invalid_request",
    "Cannot set password: this user exists and keeps the one they have, leave password out",
  );
}

function view(member: Member): v.InferOutput<typeof MemberView> {
  return {
    user_id: member.user_id,
    user: member.user,
    role: member.role,
    created_at: formatRfc3339(member.created_at_ms),
  };
}

function passwordRequired(): ManagementError {
  return new ManagementError(
    "invalid_request",
    "Cannot add member: there is no such user yet, so password is required",
  );
}

function alreadyMember(): ManagementError {
  return new ManagementError("already_member", "Cannot add member: this user is one already");
}

function memberNotFound(): ManagementError {
  return new ManagementError(
    "member_not_found",
    "Cannot find member: this organization has none with this id",
  );
}

function lastOwner(): ManagementError {
  return new ManagementError(
    "last_owner",
    "Cannot remove member: this is the last owner of the organization",
  );
}
