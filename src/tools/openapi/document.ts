import {
  type RouteDescription,
  type RouteGroup,
  type Schema,
} from "../../std/route_description.ts";
import { Converter, type JsonSchema } from "./json_schema.ts";
import { operationOf, type Operation, type ResponseObject, type Shared } from "./operation.ts";
import { type ErrorCase, type Plane, PLANES, type ServedRoute } from "./planes.ts";

/** An OpenAPI 3.1 document, as far as it is used here. */
export interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly Tag[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly responses: Readonly<Record<string, ResponseObject>>;
    readonly headers: Readonly<Record<string, HeaderObject>>;
    readonly securitySchemes: Readonly<Record<string, object>>;
  };
  readonly "x-planes": readonly PlaneSummary[];
}

/** A group of routes. */
export interface Tag {
  readonly name: string;
  readonly description: string;
}

/** A header of answers. */
export interface HeaderObject {
  readonly description: string;
  readonly schema: { readonly type: "string" };
  readonly example: string;
}

/** What holds for a whole plane. */
export interface PlaneSummary {
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly errors: readonly ErrorCase[];
}

const SECURITY_SCHEMES = {
  bearer: {
    type: "http",
    scheme: "bearer",
    description: "An inference key: `fdb-inf-...`",
  },
  xApiKey: {
    type: "apiKey",
    in: "header",
    name: "x-api-key",
    description: "The same inference key, for clients that send it there",
  },
  apiKey: {
    type: "apiKey",
    in: "header",
    name: "api-key",
    description: "The same inference key, for clients that send it there",
  },
  basic: { type: "http", scheme: "basic", description: "A user and their password" },
};

/** Makes the document of everything that the planes serve. @throws {Error} If a route is not described, or not served. */
export function makeDocument(planes: readonly Plane[] = PLANES): OpenApi {
  const shared: Shared = { schemas: new Converter(namedSchemas(planes)), responses: new Map() };
  const paths = pathsOf(planes, shared);
  return {
    openapi: "3.1.1",
    info: {
      title: "Inference Proxy",
      // Of the interface, which its paths name: it is not the program's.
      version: "1",
      description:
        "One OpenAI-compatible endpoint in front of several model providers, and the interface that administers it.",
    },
    servers: [{ url: "/" }],
    tags: planes
      .flatMap((plane) => plane.groups)
      .map(({ name, about }) => {
        return { name, description: about };
      }),
    paths,
    components: {
      schemas: shared.schemas.components(),
      responses: Object.fromEntries([...shared.responses].sort(([a], [b]) => (a < b ? -1 : 1))),
      headers: Object.assign({}, ...planes.map(headersOf)) as Record<string, HeaderObject>,
      securitySchemes: SECURITY_SCHEMES,
    },
    "x-planes": planes.map(({ name, about, groups, errors }) => {
      return { name, description: about, tags: groups.map((group) => group.name), errors };
    }),
  };
}

/** Writes a document: the same routes give the same bytes. */
export function formatDocument(document: OpenApi): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

function namedSchemas(planes: readonly Plane[]): Record<string, Schema> {
  const named = planes.flatMap((plane) => [
    plane.errorSchema,
    ...plane.groups.flatMap((group) => Object.entries(group.schemas ?? {})),
  ]);
  const byName = new Map<string, Schema>();
  for (const [name, schema] of named) {
    if (byName.has(name)) throw new Error(`Cannot name schema "${name}": there is another one`);
    byName.set(name, schema);
  }
  return Object.fromEntries(byName);
}

function pathsOf(
  planes: readonly Plane[],
  shared: Shared,
): Record<string, Record<string, Operation>> {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const plane of planes) {
    const described = describedRoutes(plane);
    for (const route of plane.served) {
      const { group, description } = requireDescription(described, route, plane);
      const [method = "", pattern = ""] = route.name.split(" ");
      const operation = operationOf({ plane, group, route, description }, shared);
      paths[pattern] = { ...paths[pattern], [method.toLowerCase()]: operation };
    }
    refuseUnserved(described, plane);
  }
  return paths;
}

interface Described {
  readonly group: RouteGroup<string>;
  readonly description: RouteDescription<string>;
}

function describedRoutes({ groups }: Plane): Map<string, Described> {
  return new Map(
    groups.flatMap((group) =>
      Object.entries(group.routes).map(([name, description]) => [name, { group, description }]),
    ),
  );
}

function requireDescription(
  described: ReadonlyMap<string, Described>,
  { name }: ServedRoute,
  plane: Plane,
): Described {
  const found = described.get(name);
  if (found !== undefined) return found;
  throw new Error(
    `Cannot describe ${name}: nobody has said what it does. Add it to the groups in openapi/ of the ${plane.name} plane`,
  );
}

function refuseUnserved(described: ReadonlyMap<string, Described>, { served }: Plane): void {
  const names = new Set(served.map((route) => route.name));
  const unserved = [...described.keys()].find((name) => !names.has(name));
  if (unserved !== undefined)
    throw new Error(`Cannot describe ${unserved}: no table of routes has it`);
}

function headersOf({ headers }: Plane): Record<string, HeaderObject> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, { about, on, example }]) => [
      name,
      { description: `${about}. On ${on}`, schema: { type: "string" }, example },
    ]),
  );
}
