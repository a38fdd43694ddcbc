import { ProxyError } from "../domain/errors.ts";

/** An error as it reaches a client of the data plane, over HTTP or inside a stream. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** All four of OpenAI's members, and more where they help. */
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
    readonly [member: string]: unknown;
  };
}

/** Answers for an error whose code, headers and details are our own. */
export function proxyErrorAnswer(error: ProxyError): ErrorAnswer {
  const { status, headers, message, type, param, code, details } = error;
  return { status, headers, error: { message, type, param, code, ...details } };
}

/** Answers for a fault of our own, which says nothing about itself. */
export function internalAnswer(): ErrorAnswer {
  return proxyErrorAnswer(new ProxyError("internal_error", "Cannot serve request: internal error"));
}

/** Says to a client whether trying again can help. */
export function retryHeader(canHelp: boolean): Record<string, string> {
  return { "x-should-retry": String(canHelp) };
}
