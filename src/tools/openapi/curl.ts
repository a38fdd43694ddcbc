import type { Operation, Parameter } from "./operation.ts";

/** A route as the document has it. */
export interface RouteInDocument {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** The longest body on one line, in characters. */
const LINE_CHARS_MAX = 44;

/** What stands for the variable segments of paths on a command line. */
const VARIABLES: Readonly<Record<string, string>> = {
  orgId: "$ORG",
  userId: "$USER_ID",
  keyId: "$KEY_ID",
  callId: "$CALL_ID",
  provider: "openai",
  model: "gpt-4o-mini",
};

/** Writes the command line that uses a route, for a shell in which PROXY, ORG and whoever asks are set. */
export function curlLine({ method, path, operation }: RouteInDocument): string {
  const { requestBody, parameters = [] } = operation;
  const content = requestBody?.content["application/json"];
  const isPlain = method === "GET" || (method === "POST" && content !== undefined);
  const words = [
    "curl",
    ...(isPlain ? [] : [`-X ${method}`]),
    `"${baseOf(operation)}${filledIn(path, parameters)}"`,
  ].join(" ");
  const rest = [
    ...credentialsOf(operation),
    ...(content === undefined
      ? []
      : ["-H 'content-type: application/json'", `-d '${quoted(content.example)}'`]),
  ];
  return [words, ...rest].join(" \\\n  ");
}

function baseOf(operation: Operation): string {
  return operation["x-local-only"] === true ? "http://localhost" : "$PROXY";
}

function credentialsOf(operation: Operation): string[] {
  if (operation["x-local-only"] === true) return ['--unix-socket "$DATA_DIR/control.sock"'];
  const schemes = operation.security.flatMap((one) => Object.keys(one));
  return schemes.includes("basic")
    ? ['-u "$USER_NAME:$PASSWORD"']
    : ['-H "authorization: Bearer $KEY"'];
}

function filledIn(path: string, parameters: readonly Parameter[]): string {
  const known = path.replaceAll(/\{(\w+)\}/g, (whole, name: string) => VARIABLES[name] ?? whole);
  const asked = parameters.flatMap((one) => {
    const [first] = one.schema.enum ?? [];
    return one.in === "query" && typeof first === "string" ? [`${one.name}=${first}`] : [];
  });
  return asked.length === 0 ? known : `${known}?${asked.join("&")}`;
}

/** Writes a body between quotes, over several lines if it is long. */
function quoted(body: unknown): string {
  const line = JSON.stringify(body);
  const isShort = line.length <= LINE_CHARS_MAX;
  const text = isShort ? line : JSON.stringify(body, null, 2).replaceAll("\n", "\n  ");
  return text.replaceAll("'", "'\\''");
}
