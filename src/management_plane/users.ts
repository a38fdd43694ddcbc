import * as v from "valibot";
import { formatRfc3339 } from "../std/rfc3339.ts";
import { parseUuid } from "../std/uuid.ts";
import type { Db, Row } from "../store/tables.ts";
import {
  createUser,
  deleteUser,
  findUser,
  findUserById,
  listUsers,
  recordUnlock,
  setPassword,
  solelyOwned,
} from "../store/users.ts";
import { hashPassword } from "./authenticate.ts";
import type { OperatorCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import { ManagementError } from "./error_response.ts";
import { newPassword, userName } from "./fields.ts";
import { emptyResponse, jsonResponse } from "./json_response.ts";
import { readBody } from "./read_body.ts";

/** What a new user is made of. */
export const CreateBody = v.strictObject({ name: userName(), password: newPassword() });

/** What replaces a password. */
export const PasswordBody = v.strictObject({ password: newPassword() });

/** Answers with every user and the organizations of each. */
export async function list(_call: OperatorCall, deps: ManagementDeps): Promise<Response> {
  const users = await listUsers(deps.db);
  return jsonResponse(200, {
    users: users.map(({ memberships, ...user }) => ({ ...view(user), memberships })),
  });
}

/** Creates a user, who is a member of nothing yet. */
export async function create(call: OperatorCall, deps: ManagementDeps): Promise<Response> {
  const { name, password } = await readBody(call.request, CreateBody);
  const passwordHash = await hashPassword(password, deps);
  const user = await deps.db.transaction().execute(async (tx) => {
    if ((await findUser(tx, name)) !== undefined) throw nameTaken();
    return createUser(tx, call.act, { name, passwordHash });
  });
  return jsonResponse(201, { ...view(user), memberships: [] });
}

/** Replaces a user's password. It holds from the next request on. */
export async function replacePassword(call: OperatorCall, deps: ManagementDeps): Promise<Response> {
  const { password } = await readBody(call.request, PasswordBody);
  const passwordHash = await hashPassword(password, deps);
  await deps.db.transaction().execute(async (tx) => {
    const { id: userId } = await requireUser(tx, call);
    await setPassword(tx, call.act, { userId, passwordHash });
  });
  return emptyResponse();
}

/** Lets a user sign in again at once who is kept out by too many failures, whoever's they were. */
export async function unlock(call: OperatorCall, deps: ManagementDeps): Promise<Response> {
  const user = await deps.db.transaction().execute(async (tx) => {
    const found = await requireUser(tx, call);
    await recordUnlock(tx, call.act, found);
    return found;
  });
  deps.throttle.unlock(user.name);
  return emptyResponse();
}

/** Deletes a user, unless an organization would be left without an owner. */
export async function remove(call: OperatorCall, deps: ManagementDeps): Promise<Response> {
  await deps.db.transaction().execute(async (tx) => {
    const user = await requireUser(tx, call);
    const [owned] = await solelyOwned(tx, user.id);
    if (owned !== undefined) throw lastOwner(owned);
    await deleteUser(tx, call.act, user);
  });
  return emptyResponse();
}

async function requireUser(db: Db, call: OperatorCall): Promise<Row<"users">> {
  const id = parseUuid(call.params["userId"] ?? "");
  const user = id === null ? undefined : await findUserById(db, id);
  if (user !== undefined) return user;
  throw new ManagementError("user_not_found", "Cannot find user: there is none with this id");
}

function view(user: Pick<Row<"users">, "id" | "name" | "created_at_ms">) {
  return { id: user.id, name: user.name, created_at: formatRfc3339(user.created_at_ms) };
}

function nameTaken(): ManagementError {
  return new ManagementError("name_taken", "Cannot create user: this name is taken");
}

function lastOwner(slug: string): ManagementError {
  return new ManagementError(
    "last_owner",
    `Cannot delete user: they are the last owner of organization "${slug}"`,
  );
}
