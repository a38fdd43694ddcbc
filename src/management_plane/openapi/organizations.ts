import * as v from "valibot";
import { ROLES } from "../../domain/organization.ts";
import { answer, body, type RouteGroup } from "../../std/route_description.ts";
import type { ManagementErrorCode } from "../error_response.ts";
import { CreateBody } from "../organizations.ts";
import { id, label, time, word, yes } from "./shapes.ts";

/** An organization as somebody sees it who may. */
export const Organization = v.strictObject({
  id: id("Stands in the path of everything that belongs to it"),
  name: label("For people"),
  slug: label("For command lines"),
  is_personal: yes("Whether it is one person's own"),
  role: word(ROLES, "What the user is there: owners and admins manage it, members do not"),
  created_at: time("When it was created"),
});

const EXAMPLE: v.InferInput<typeof Organization> = {
  id: "019ecb27-2200-7440-b544-6f1f3a9d2c10",
  name: "Acme",
  slug: "acme",
  is_personal: false,
  role: "owner",
  created_at: "2026-06-01T09:30:00Z",
};

const list = {
  summary: "List organizations",
  answers: {
    200: answer("The organizations", v.strictObject({ organizations: v.array(Organization) }), {
      organizations: [EXAMPLE],
    }),
  },
  errors: [],
} as const;

export const organizations: RouteGroup<ManagementErrorCode> = {
  name: "Organizations",
  about: "An organization owns inference keys, provider configs, settings, prices and its bill.",
  schemas: { Organization },
  routes: {
    "GET /organizations": {
      ...list,
      id: "listOrganizations",
      about: "Those that the user is a member of; all of them over the control socket.",
    },
    "GET /organizations/": {
      ...list,
      id: "listOrganizationsWithSlash",
      summary: "List organizations, with a slash",
      about: "The same, for clients that put a slash at the end.",
    },
    "GET /organizations/{orgId}": {
      id: "getOrganization",
      summary: "Get an organization",
      answers: { 200: answer("The organization", Organization, EXAMPLE) },
      errors: [],
    },
    "POST /operator/organizations": {
      id: "createOrganization",
      summary: "Create an organization",
      body: body(
        CreateBody,
        {
          name: "For people",
          slug: "For command lines; made of the name if it is left out",
        },
        { name: "Acme Europe", slug: "acme-europe" },
      ),
      answers: { 201: answer("The new organization", Organization, EXAMPLE) },
      errors: ["slug_taken"],
    },
  },
};
