import { ADMIN_PASSWORD } from "./app.ts";
import type { DataPlane } from "./data_plane.ts";
import { type FittingAnswer, fitting } from "./described.ts";

/** Whoever asks: the first owner, a member with this password, the operator, an inference key, or nobody. */
export type Asker =
  | "owner"
  | "operator"
  | "nobody"
  | { readonly user: string; readonly password: string }
  | { readonly key: string };

export interface Step {
  readonly as?: Asker;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Goes from route to route of a running app, and holds every answer against its description. */
export class Walk {
  readonly #proxy: DataPlane;
  /** Every answer so far. */
  readonly seen: FittingAnswer[] = [];

  constructor(proxy: DataPlane) {
    this.#proxy = proxy;
  }

  /** Asks, and returns the body of the answer. In paths `{org}` stands for the first organization. */
  async ask(line: string, { as = "owner", body, headers = {} }: Step = {}): Promise<never> {
    const [method = "", written = ""] = line.split(" ");
    const path = written.replace("{org}", this.#proxy.organizationId);
    const sent = {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...credentials(as),
      ...headers,
    };
    const init = {
      method,
      headers: sent,
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    };
    const response =
      as === "operator"
        ? await this.#proxy.app.operate(new Request(`http://localhost${path}`, init))
        : await fetch(this.#proxy.url + path, init);
    const text = await response.text();
    const { status, headers: received } = response;
    this.seen.push(fitting({ method, path, status, headers: received, text }));
    return (text.startsWith("{") ? JSON.parse(text) : null) as never;
  }

  /** Asks, and says of which kind the answer must be: a status, or a code. */
  async expect(line: string, expected: number | string, step: Step = {}): Promise<never> {
    const body = await this.ask(line, step);
    const { status, code } = this.seen.at(-1) ?? { status: 0, code: "" };
    if (expected === status || expected === code) return body;
    throw new Error(
      `Cannot walk on: ${line} answers ${status} ${code} instead of ${expected}: ${JSON.stringify(body)}`,
    );
  }
}

function credentials(as: Asker): Record<string, string> {
  if (as === "nobody" || as === "operator") return {};
  if (as === "owner") return basic("admin", ADMIN_PASSWORD);
  return "key" in as ? { authorization: `Bearer ${as.key}` } : basic(as.user, as.password);
}

function basic(user: string, password: string): Record<string, string> {
  return { authorization: `Basic ${btoa(`${user}:${password}`)}` };
}
