import type { RouteInDocument } from "./curl.ts";
import type { OpenApi, Tag } from "./document.ts";

/** A part of the page: groups of routes that are reached in the same way. */
export interface Part {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  /** The shell lines to begin with. */
  readonly begin: string;
  readonly groups: readonly Group[];
}

/** A group of routes, and where it begins on the page. */
export interface Group extends Tag {
  readonly id: string;
  readonly routes: readonly RouteInDocument[];
}

const BEGIN = {
  inference: [
    "PROXY=http://127.0.0.1:8080",
    "KEY=fdb-inf-...",
    "",
    'curl "$PROXY/inference/v1/models" \\',
    '  -H "authorization: Bearer $KEY"',
  ],
  management: [
    "PROXY=http://127.0.0.1:8080",
    "USER_NAME=admin",
    "",
    'curl "$PROXY/organizations" \\',
    '  -u "$USER_NAME:$PASSWORD"',
  ],
  operator: [
    "DATA_DIR=/var/lib/inference-proxy",
    "",
    'curl "http://localhost/organizations" \\',
    '  --unix-socket "$DATA_DIR/control.sock"',
  ],
};

const OPERATOR_ABOUT =
  "Served on the control socket in the data directory and nowhere else: whoever can open it is the operator of the machine. The whole management interface is there as well, without a password and for every organization.";

/** Divides what a document describes into the parts of the page. */
export function partsOf(document: OpenApi): readonly Part[] {
  const groups = groupsOf(document);
  const [inference, management] = ["inference", "management"].map((name) => {
    const plane = document["x-planes"].find((one) => one.name === name);
    if (plane === undefined) throw new Error(`Cannot show ${name} plane: the document has none`);
    const own = groups.filter((group) => plane.tags.includes(group.name));
    return { about: plane.description, groups: own };
  });
  if (inference === undefined || management === undefined) return [];
  const isLocal = ({ routes }: Group) => routes.every((one) => one.operation["x-local-only"]);
  return [
    { ...inference, id: "inference", title: "Inference", begin: BEGIN.inference.join("\n") },
    {
      id: "management",
      title: "Management",
      about: management.about,
      begin: BEGIN.management.join("\n"),
      groups: management.groups.filter((group) => !isLocal(group)),
    },
    {
      id: "operator",
      title: "Operator",
      about: OPERATOR_ABOUT,
      begin: BEGIN.operator.join("\n"),
      groups: management.groups.filter(isLocal),
    },
  ];
}

function groupsOf({ paths, tags }: OpenApi): readonly Group[] {
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      return { method: method.toUpperCase(), path, operation };
    }),
  );
  return tags.map((tag) => ({
    ...tag,
    id: tag.name.toLowerCase().replaceAll(" ", "-"),
    routes: routes.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
}
