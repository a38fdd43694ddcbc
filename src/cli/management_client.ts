import { isJsonObject, type JsonObject, parseJsonObject } from "../std/json.ts";
import type { Secret } from "../std/secret.ts";

/** Speaks the public management API as one user. */
export class ManagementClient {
  readonly #url: string;
  readonly #authorization: string;

  constructor(url: string, user: string, password: Secret) {
    this.#url = url;
    this.#authorization = `Basic ${btoa(`${user}:${password.reveal()}`)}`;
  }

  /**
   * Sends a request and returns the JSON object of the answer, which is empty if the answer has no body.
   *
   * @throws {Error} If the answer is an error, with what it says.
   */
  async call(method: string, path: string, body?: JsonObject): Promise<JsonObject> {
    const response = await fetch(this.#url + path, {
      method,
      headers: { authorization: this.#authorization, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = parseJsonObject(await response.text()) ?? {};
    if (response.ok) return answer;
    const why = typeof answer.error === "string" ? answer.error : `status ${response.status}`;
    throw new Error(`Cannot ${method} ${path}: ${why}`);
  }
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
