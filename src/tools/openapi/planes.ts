import * as inferenceErrors from "../../data_plane/openapi/errors.ts";
import * as inferenceGroups from "../../data_plane/openapi/groups.ts";
import { type AnswerHeader, HEADERS } from "../../data_plane/openapi/headers.ts";
import { SERVED } from "../../data_plane/routes.ts";
import { ERRORS } from "../../domain/errors.ts";
import { MANAGEMENT_ERRORS } from "../../management_plane/error_response.ts";
import * as managementErrors from "../../management_plane/openapi/errors.ts";
import * as managementGroups from "../../management_plane/openapi/groups.ts";
import { type ManagementRoute, ROUTES } from "../../management_plane/routes.ts";
import type { RouteDescription, RouteGroup, Schema } from "../../std/route_description.ts";

/** One code that an error can have. */
export interface ErrorCase {
  readonly code: string;
  readonly status: number;
  readonly when: string;
}

/** A route as the program's table has it. */
export interface ServedRoute {
  /** Method and pattern. */
  readonly name: string;
  readonly localOnly: boolean;
  /** The codes that every such route can answer, whatever it does. */
  errorsOfKind(description: RouteDescription<string>): readonly string[];
}

/** Everything that is known of one plane. */
export interface Plane {
  readonly name: "inference" | "management";
  readonly about: string;
  readonly served: readonly ServedRoute[];
  readonly groups: readonly RouteGroup<string>[];
  readonly pathParameters: Readonly<Record<string, Schema>>;
  readonly errors: readonly ErrorCase[];
  /** The shape of every error, and the name that it has. */
  readonly errorSchema: readonly [name: string, schema: Schema];
  readonly headers: Readonly<Record<string, AnswerHeader>>;
  /** Whether a provider's error may be answered with its own status. */
  readonly passesErrorsThrough: (description: RouteDescription<string>) => boolean;
}

const INFERENCE: Plane = {
  name: "inference",
  about:
    "Serves calls to models, by inference key. Any OpenAI client works with this as its base URL: `/inference/v1`.",
  served: SERVED.map((name) => ({
    name,
    localOnly: false,
    errorsOfKind: () => inferenceErrors.COMMON_ERRORS,
  })),
  groups: inferenceGroups.GROUPS,
  pathParameters: inferenceGroups.PATH_PARAMETERS,
  errors: Object.entries(ERRORS).map(([code, [status]]) => {
    return { code, status, when: causeOf(code, inferenceErrors.CAUSES) };
  }),
  errorSchema: ["InferenceError", inferenceErrors.InferenceErrorBody],
  headers: HEADERS,
  passesErrorsThrough: ({ errors }) => errors.includes("upstream_error"),
};

const MANAGEMENT: Plane = {
  name: "management",
  about: "Administers organizations, by user and password.",
  served: ROUTES.map((route) => ({
    name: `${route.method} ${route.pattern}`,
    localOnly: route.access === "operator",
    errorsOfKind: (description) => errorsOfManagement(route, description),
  })),
  groups: managementGroups.GROUPS,
  pathParameters: managementGroups.PATH_PARAMETERS,
  errors: Object.entries(MANAGEMENT_ERRORS).map(([code, status]) => {
    return { code, status, when: causeOf(code, managementErrors.CAUSES) };
  }),
  errorSchema: ["ManagementError", managementErrors.ManagementErrorBody],
  headers: {},
  passesErrorsThrough: () => false,
};

/** Both planes, in the order in which the document shows them. */
export const PLANES: readonly Plane[] = [INFERENCE, MANAGEMENT];

function errorsOfManagement(
  route: ManagementRoute,
  { body, query }: RouteDescription<string>,
): readonly string[] {
  const has = { body: body !== undefined, query: query !== undefined };
  return managementErrors.errorsOfKind(route, has);
}

function causeOf(code: string, causes: Readonly<Record<string, string>>): string {
  return causes[code] ?? "";
}
