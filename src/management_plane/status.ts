import type { OperatorCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import { jsonResponse } from "./json_response.ts";

/** Answers with what the process says about itself. */
export async function get(_call: OperatorCall, deps: ManagementDeps): Promise<Response> {
  return jsonResponse(200, await deps.status());
}
