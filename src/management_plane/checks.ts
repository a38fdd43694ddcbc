import type { OperatorCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import { jsonResponse } from "./json_response.ts";

/** Answers with what only the process itself can tell, for whoever judges whether it serves well. */
export async function get(_call: OperatorCall, deps: ManagementDeps): Promise<Response> {
  return jsonResponse(200, await deps.facts());
}
