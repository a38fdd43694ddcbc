import * as v from "valibot";
import { ROLES } from "../../domain/organization.ts";
import { answer, body, noBody, type RouteGroup } from "../../std/route_description.ts";
import type { ManagementErrorCode } from "../error_response.ts";
import { CreateBody, PasswordBody } from "../users.ts";
import { id, label, time, word } from "./shapes.ts";

/** A user and what they are a member of. */
export const User = v.strictObject({
  id: id("Names the user in paths"),
  name: label("What they sign in with"),
  created_at: time("When the user was created"),
  memberships: v.array(
    v.strictObject({
      slug: label("Of the organization"),
      role: word(ROLES, "What the user is there"),
    }),
  ),
});

const EXAMPLE: v.InferInput<typeof User> = {
  id: "019ecb27-2200-7440-b544-7c2d90e1b4a5",
  name: "sam",
  created_at: "2026-06-01T09:30:00Z",
  memberships: [{ slug: "acme", role: "admin" }],
};

const USERS = "/operator/users";

export const users: RouteGroup<ManagementErrorCode> = {
  name: "Users",
  about: "Who can sign in at all. What they may do is a matter of their memberships.",
  schemas: { User },
  routes: {
    [`GET ${USERS}`]: {
      id: "listUsers",
      summary: "List users",
      answers: {
        200: answer("The users", v.strictObject({ users: v.array(User) }), { users: [EXAMPLE] }),
      },
      errors: [],
    },
    [`POST ${USERS}`]: {
      id: "createUser",
      summary: "Create a user",
      about: "A new user is a member of nothing yet.",
      body: body(
        CreateBody,
        { name: "What they will sign in with", password: "Their password" },
        { name: "sam", password: "correct horse battery" },
      ),
      answers: { 201: answer("The new user", User, { ...EXAMPLE, memberships: [] }) },
      errors: ["name_taken"],
    },
    [`PUT ${USERS}/{userId}/password`]: {
      id: "replacePassword",
      summary: "Replace a password",
      about: "It holds from the next request of that user on.",
      body: body(
        PasswordBody,
        { password: "The new password" },
        { password: "correct horse battery" },
      ),
      answers: { 204: noBody("The new password holds") },
      errors: ["user_not_found"],
    },
    [`POST ${USERS}/{userId}/unlock`]: {
      id: "unlockUser",
      summary: "Unlock a user",
      about:
        "Lets a user sign in again at once who is kept out by too many failures. A restart does the same for everybody.",
      answers: { 204: noBody("The failures are forgotten") },
      errors: ["user_not_found"],
    },
    [`DELETE ${USERS}/{userId}`]: {
      id: "deleteUser",
      summary: "Delete a user",
      about: "With every membership. What the user did stays in the record of changes.",
      answers: { 204: noBody("The user is gone") },
      errors: ["user_not_found", "last_owner"],
    },
  },
};
