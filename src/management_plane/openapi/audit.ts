import * as v from "valibot";
import { answer, members, type RouteGroup } from "../../std/route_description.ts";
import { Query } from "../audit.ts";
import type { ManagementErrorCode } from "../error_response.ts";
import { id, label, time, yes } from "./shapes.ts";

const AuditValue = v.union([v.string(), v.number(), v.boolean(), v.null()]);

const EVENT = {
  id: id("Names the event; later events have greater ids"),
  happened_at: time("When it happened"),
  actor: label(
    "Who did it: a user's name, `operator` for whoever administers this machine, or `system`",
  ),
  address: label("Where from: an IP address, or `local` for this machine itself"),
  action: label("What was done, such as `inference_key.revoke`"),
  target: label("To what: an id, or the name of a model"),
  detail: v.pipe(
    v.objectWithRest(
      {},
      v.union([AuditValue, v.strictObject({ before: AuditValue, after: AuditValue })]),
    ),
    v.description("How it is, or how each thing that changed was before and is after"),
  ),
};

/** One change. */
export const AuditEvent = v.strictObject(EVENT);

/** One change, wherever it was. */
export const OperatorAuditEvent = v.strictObject({
  ...EVENT,
  organization_id: v.pipe(
    v.nullable(v.pipe(v.string(), v.uuid())),
    v.description("The organization; null for what belongs to none"),
  ),
});

const EXAMPLE: v.InferInput<typeof AuditEvent> = {
  id: "019ecb27-2200-7440-b544-7c2d90e1b4c7",
  happened_at: "2026-06-01T09:30:00Z",
  actor: "sam",
  address: "192.0.2.7",
  action: "inference_key.update",
  target: "019ecb27-2200-7440-b544-7c2d90e1b4a5",
  detail: { monthly_token_limit: { before: 1_000_000, after: 2_000_000 } },
};

const QUERY = members(Query, {
  limit: "How many events at most; 50 by default",
  before: "Only what came before the event with this id: the last one of the page before",
  action: "Only this action",
  actor: "Only what this one did",
  from: "Only what happened from here on",
  to: "Only what happened before",
});

/** A page of events. */
function page<Event extends v.GenericSchema>(event: Event) {
  return v.strictObject({
    events: v.array(event),
    has_more: yes("Whether there are older ones"),
  });
}

export const audit: RouteGroup<ManagementErrorCode> = {
  name: "Audit",
  about:
    "Every change, with who made it, from where and what it was before: written in the transaction of the change, so neither is there without the other. Events are kept for good and hold no secret.",
  schemas: { AuditEvent, OperatorAuditEvent },
  routes: {
    "GET /organizations/{orgId}/inference/audit": {
      id: "listAuditEvents",
      summary: "List changes",
      about: "Those of the organization, the newest first.",
      query: QUERY,
      answers: {
        200: answer("The changes", page(AuditEvent), { events: [EXAMPLE], has_more: false }),
      },
      errors: [],
    },
    "GET /operator/audit": {
      id: "listAllAuditEvents",
      summary: "List all changes",
      about: "Those of every organization, and those of none, the newest first.",
      query: QUERY,
      answers: {
        200: answer("The changes", page(OperatorAuditEvent), {
          events: [
            {
              ...EXAMPLE,
              actor: "operator",
              address: "local",
              action: "user.unlock",
              detail: { name: "sam" },
              organization_id: null,
            },
          ],
          has_more: false,
        }),
      },
      errors: [],
    },
  },
};
