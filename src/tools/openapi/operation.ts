import type {
  Answer,
  Body,
  Members,
  RouteDescription,
  RouteGroup,
} from "../../std/route_description.ts";
import type { Converter, JsonSchema } from "./json_schema.ts";
import type { ErrorCase, Plane, ServedRoute } from "./planes.ts";

/** What one route takes and answers. */
export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  /** Whether it is served on the control socket only. */
  readonly "x-local-only"?: true;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: true; readonly content: Content };
  readonly responses: Readonly<Record<string, ResponseObject | Reference>>;
}

/** A variable part of a path, or a part of a query. */
export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly required: boolean;
  readonly description: string;
  readonly schema: JsonSchema;
}

/** Bodies by their media type. */
export type Content = Readonly<Record<string, Media>>;

/** A body of one media type. */
export interface Media {
  readonly schema: JsonSchema;
  /** What the data of each event is, if it is a stream of them. */
  readonly "x-event-schema"?: JsonSchema;
  readonly example?: unknown;
}

/** What is answered with one status. */
export interface ResponseObject {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Reference>>;
  readonly content?: Content;
  /** The codes of the errors with this status. */
  readonly "x-codes"?: readonly string[];
}

/** Stands for something in the document's components. */
export interface Reference {
  readonly $ref: string;
}

/** The parts of the document that operations share, collected while they are described. */
export interface Shared {
  readonly schemas: Converter;
  readonly responses: Map<string, ResponseObject>;
}

/** A route, and all that is known of it. */
export interface RouteFacts {
  readonly plane: Plane;
  readonly group: RouteGroup<string>;
  readonly route: ServedRoute;
  readonly description: RouteDescription<string>;
}

const JSON_TYPE = "application/json";

/** Describes a route as an operation of the document. */
export function operationOf(facts: RouteFacts, shared: Shared): Operation {
  const { schemas } = shared;
  const { group, route, description } = facts;
  const { id, summary, about, query, body } = description;
  const parameters = [
    ...pathParameters(facts, schemas),
    ...(query === undefined ? [] : queryParameters(query, schemas)),
  ];
  return {
    operationId: id,
    summary,
    ...(about === undefined ? {} : { description: about }),
    tags: [group.name],
    security: securityOf(facts),
    ...(route.localOnly ? { "x-local-only": true } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: bodyOf(body, schemas) } }),
    responses: { ...answersOf(facts, schemas), ...errorsOf(facts, shared) },
  };
}

function securityOf({ plane, route }: RouteFacts): Operation["security"] {
  if (route.localOnly) return [];
  return plane.name === "inference"
    ? [{ bearer: [] }, { xApiKey: [] }, { apiKey: [] }]
    : [{ basic: [] }];
}

function pathParameters({ plane, route }: RouteFacts, schemas: Converter): Parameter[] {
  return [...route.name.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => {
    const known = plane.pathParameters[name];
    if (known === undefined) {
      throw new Error(`Cannot describe ${route.name}: nobody has said what "${name}" is`);
    }
    const { description = "", ...schema } = schemas.convert(known);
    return { name, in: "path", required: true, description, schema };
  });
}

function queryParameters(query: Members, schemas: Converter): Parameter[] {
  const { properties = {}, required = [] } = schemas.members(query);
  return Object.entries(properties).map(([name, member]) => {
    const { description = "", ...schema } = typeof member === "boolean" ? {} : member;
    return { name, in: "query", required: required.includes(name), description, schema };
  });
}

function bodyOf(body: Body, schemas: Converter): Content {
  return { [JSON_TYPE]: { schema: schemas.members(body), example: body.example } };
}

function answersOf(facts: RouteFacts, schemas: Converter): Record<string, ResponseObject> {
  const headers = headersOn(facts, ["every answer", "answers to a known key", "successes"]);
  return Object.fromEntries(
    Object.entries(facts.description.answers).map(([status, answer]) => [
      status,
      { description: answer.about, ...headers, ...contentOf(answer, schemas) },
    ]),
  );
}

function contentOf(
  { schema, example, stream }: Answer,
  schemas: Converter,
): Pick<ResponseObject, "content"> {
  if (schema === null) return {};
  const whole = { [JSON_TYPE]: { schema: schemas.convert(schema), example } };
  if (stream === undefined) return { content: whole };
  const events = {
    schema: { type: "string" as const, description: "Events, and at last `data: [DONE]`" },
    "x-event-schema": schemas.convert(stream.schema),
    example: stream.example,
  };
  return { content: { ...whole, "text/event-stream": events } };
}

function errorsOf(facts: RouteFacts, { responses }: Shared): Record<string, Reference> {
  const { plane, route, description } = facts;
  const codes = new Set([...route.errorsOfKind(description), ...description.errors]);
  const cases = plane.errors.filter((one) => codes.has(one.code));
  const byStatus = Map.groupBy(cases, (one) => one.status);
  const statuses = [...byStatus].sort(([a], [b]) => a - b);
  const refer = (name: string, response: ResponseObject): Reference => {
    responses.set(name, response);
    return { $ref: `#/components/responses/${name}` };
  };
  const own = statuses.map(([status, some]) => {
    const name = [plane.name, ...some.map((one) => one.code)].join(".");
    return [String(status), refer(name, errorOf(facts, some))] as const;
  });
  const passes = plane.passesErrorsThrough(description);
  return {
    ...Object.fromEntries(own),
    ...(passes ? { default: refer(`${plane.name}.passed_through`, passedThrough(facts)) } : {}),
  };
}

function errorOf(facts: RouteFacts, cases: readonly ErrorCase[]): ResponseObject {
  const isKeyKnown = cases.every((one) => one.status !== 401);
  return {
    description: cases.map(({ code, when }) => `\`${code}\`: ${when}`).join(". "),
    ...headersOn(facts, [
      "every answer",
      ...(isKeyKnown ? (["answers to a known key"] as const) : []),
      "errors",
    ]),
    content: errorContent(facts),
    "x-codes": cases.map((one) => one.code),
  };
}

function passedThrough(facts: RouteFacts): ResponseObject {
  return {
    description:
      "With `--upstream-errors passthrough`: a provider's error with its own status, and its own code",
    ...headersOn(facts, ["every answer", "answers to a known key", "errors"]),
    content: errorContent(facts),
  };
}

function errorContent({ plane }: RouteFacts): Content {
  return { [JSON_TYPE]: { schema: { $ref: `#/components/schemas/${plane.errorSchema[0]}` } } };
}

function headersOn(
  { plane }: RouteFacts,
  places: readonly Plane["headers"][string]["on"][],
): Pick<ResponseObject, "headers"> {
  const names = Object.keys(plane.headers).filter((name) => {
    const header = plane.headers[name];
    return header !== undefined && places.includes(header.on);
  });
  if (names.length === 0) return {};
  const refs = names.map((name) => [name, { $ref: `#/components/headers/${name}` }] as const);
  return { headers: Object.fromEntries(refs) };
}
