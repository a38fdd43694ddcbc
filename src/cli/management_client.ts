import { isJsonObject, type JsonObject, parseJsonObject } from "../std/json.ts";
import type { Secret } from "../std/secret.ts";

/** Carries a request to a management plane. */
export type Send = (request: Request) => Promise<Response>;

/** The management plane answered with an error. The message is its own. */
export class ManagementRefusal extends Error {
  readonly status: number;
  /** Such as `name_taken`; empty if something else than a management plane answered. */
  readonly code: string;

  constructor(message: string, status: number, code: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Speaks the management API. */
export class ManagementClient {
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  /**
   * Sends a request and returns the JSON object of the answer, which is empty if the answer has no body.
   *
   * @throws {ManagementRefusal} If the answer is an error.
   */
  async call(method: string, path: string, body?: JsonObject): Promise<JsonObject> {
    const response = await this.#send(
      new Request(`http://localhost${path}`, {
        method,
        ...(body === undefined
          ? {}
          : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
      }),
    );
    const answer = parseJsonObject(await response.text()) ?? {};
    if (response.ok) return answer;
    const { error, code } = answer;
    const message =
      typeof error === "string"
        ? error
        : `Cannot ${method} ${path}: the answer has status ${response.status}`;
    throw new ManagementRefusal(message, response.status, typeof code === "string" ? code : "");
  }
}

/** Returns how requests reach a server over the network as one of its users. */
export function sendAs(url: string, user: string, password: Secret): Send {
  const authorization = `Basic ${btoa(`${user}:${password.reveal()}`)}`;
  return (request) => {
    const { pathname, search } = new URL(request.url);
    const headers = new Headers(request.headers);
    headers.set("authorization", authorization);
    return fetch(new Request(url + pathname + search, new Request(request, { headers })));
  };
}

/** Returns the objects of a list in an answer. */
export function listOf(answer: JsonObject, name: string): JsonObject[] {
  const list = answer[name];
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

/** Returns a text in an answer. @throws {Error} If there is none. */
export function textOf(answer: JsonObject | undefined, name: string): string {
  const text = answer?.[name];
  if (typeof text === "string") return text;
  throw new Error(`Cannot read answer: ${name} is not a text`);
}
