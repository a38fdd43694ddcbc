import type { Json, JsonObject } from "../std/json.ts";

/** An error answer of a provider, in that provider's own shape. */
export interface Refusal {
  readonly status: number;
  readonly body: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Refuses as OpenAI does; Groq and Azure share the shape. */
export function openAiRefusal(
  status: number,
  message: string,
  details: { type?: string; param?: string | null; code?: string | null } = {},
): Refusal {
  const { type = "invalid_request_error", param = null, code = null } = details;
  return { status, body: { error: { message, type, param, code } } };
}

/** Refuses as Anthropic does. */
export function anthropicRefusal(status: number, message: string): Refusal {
  const type = ANTHROPIC_TYPES[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
  const error = { type, message };
  return { status, body: { type: "error", error, request_id: "req_standin" } };
}

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  409: "conflict_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};

/** One field that Mistral objects to, as its validation lists it. */
export interface FieldProblem {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input: Json;
}

/** Refuses as Mistral's validation does. */
export function mistralFieldsRefusal(problems: readonly FieldProblem[]): Refusal {
  const detail = problems.map((one) => ({ ...one, loc: ["body", ...one.loc] }));
  return {
    status: 422,
    body: {
      object: "error",
      message: { detail },
      type: "invalid_request_error",
      param: null,
      code: null,
    },
  };
}

/** Refuses as Mistral does where validation has passed. */
export function mistralRefusal(
  status: number,
  message: string,
  type: string,
  code: string,
): Refusal {
  return { status, body: { object: "error", message, type, param: null, code } };
}
