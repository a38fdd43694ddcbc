import { isJsonObject, parseJsonObject } from "../../../std/json.ts";

/** What came back for a request. */
export interface Reply {
  /** 0 if there was no answer. */
  readonly status: number;
  /** As far as it was read. */
  readonly body: string;
  /** How a connection without an answer ended: by the proxy, or by a client that had waited. */
  readonly end: "answered" | "closed" | "silent";
}

/** The codes of answers that a program may give with a status of 500 or more: none of them is its own fault. */
const CODES: Readonly<Record<number, readonly string[]>> = {
  502: ["upstream_error"],
  503: ["overloaded", "shutting_down"],
  504: ["upstream_timeout"],
};

const NO_SUCH_HTTP = 505;

/** Returns what kind of answer it is, such as `400`. */
export function kindOf({ status, end }: Reply): string {
  return end === "answered" ? String(status) : end;
}

/** Says what is wrong with an answer, whatever the request was; null if nothing is. */
export function faultOf({ status, body }: Reply): string | null {
  // The server's own answer to what is no request of HTTP/1 at all.
  if (status < 400 || (status === NO_SUCH_HTTP && body === "")) return null;
  const code = codeOf(body);
  const text = `${status} ${JSON.stringify(body.slice(0, 300))}`;
  if (status >= 500 && (code === null || !CODES[status]?.includes(code)))
    return `own error: ${text}`;
  // Without a body it is the server's own answer to what is no HTTP; probes answer with a line of text.
  if (body === "" || /^[\x20-;=-z|~]+\n$/.test(body)) return null;
  return code === null ? `an error without a code: ${text}` : null;
}

/** Returns the code of an error, in either plane's shape; null if it is in none. */
function codeOf(body: string): string | null {
  const answer = parseJsonObject(body);
  if (answer === null) return null;
  const { error, code } = answer;
  if (typeof error === "string") return typeof code === "string" ? code : null;
  if (!isJsonObject(error) || typeof error["message"] !== "string") return null;
  return typeof error["code"] === "string" ? error["code"] : null;
}
