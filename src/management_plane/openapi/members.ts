import * as v from "valibot";
import { ROLES } from "../../domain/organization.ts";
import { answer, body, noBody, type RouteGroup } from "../../std/route_description.ts";
import type { ManagementErrorCode } from "../error_response.ts";
import { AddBody } from "../members.ts";
import { id, label, time, word } from "./shapes.ts";

/** A membership. */
export const Member = v.strictObject({
  user_id: id("Names the user in paths"),
  user: label("The name that they sign in with"),
  role: word(ROLES, "Owners and admins manage the organization, members do not"),
  created_at: time("When they became a member"),
});

const EXAMPLE: v.InferInput<typeof Member> = {
  user_id: "019ecb27-2200-7440-b544-7c2d90e1b4a5",
  user: "sam",
  role: "admin",
  created_at: "2026-06-01T09:30:00Z",
};

const MEMBERS = "/organizations/{orgId}/members";

export const members: RouteGroup<ManagementErrorCode> = {
  name: "Members",
  about:
    "Who may manage an organization. Owners add and remove everybody, admins only members of the role member.",
  schemas: { Member },
  routes: {
    [`GET ${MEMBERS}`]: {
      id: "listMembers",
      summary: "List members",
      answers: {
        200: answer("The members", v.strictObject({ members: v.array(Member) }), {
          members: [EXAMPLE],
        }),
      },
      errors: [],
    },
    [`POST ${MEMBERS}`]: {
      id: "addMember",
      summary: "Add a member",
      about: "A user who does not exist yet is created with the password given.",
      body: body(
        AddBody,
        {
          user: "The name of the user",
          role: "What they may do",
          password: "Of a new user, and required for one; a user who exists keeps theirs",
        },
        { user: "sam", role: "admin", password: "correct horse battery" },
      ),
      answers: { 201: answer("The new member", Member, EXAMPLE) },
      errors: ["already_member"],
    },
    [`DELETE ${MEMBERS}/{userId}`]: {
      id: "removeMember",
      summary: "Remove a member",
      about: "It holds from the next request of that user on.",
      answers: { 204: noBody("They are no member any more") },
      errors: ["member_not_found", "last_owner"],
    },
  },
};
