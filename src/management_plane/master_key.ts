import * as v from "valibot";
import { SEALING_KEY_BYTES } from "../std/aes_gcm.ts";
import { isWeakMasterKey } from "../store/master_key_file.ts";
import { KeyRingChangedError } from "../store/master_key_ring.ts";
import { RotationRefusedError } from "../store/master_key_rotation.ts";
import type { OperatorCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import { ManagementError } from "./error_response.ts";
import { text } from "./fields.ts";
import { jsonResponse } from "./json_response.ts";
import { readBody } from "./read_body.ts";

const EXPECTED = `expected ${SEALING_KEY_BYTES} random bytes in base64`;

/** A master key, as the operator made it. */
export const RotateBody = v.strictObject({
  new_key: v.pipe(
    text(),
    v.check((base64) => decodeKey(base64) !== null, EXPECTED),
  ),
});

/** Answers with the master key in use, the one before it, and how much that one still seals. */
export async function get(_call: OperatorCall, deps: ManagementDeps): Promise<Response> {
  return jsonResponse(200, await view(deps));
}

/**
 * Begins to replace the master key by one that the operator keeps, or goes on with it. What is sealed by the key
 * before is sealed again in the background; until the rotation is finished the database opens with either key.
 */
export async function rotate(call: OperatorCall, deps: ManagementDeps): Promise<Response> {
  const body = await readBody(call.request, RotateBody);
  const key = decodeKey(body.new_key);
  if (key !== null) await refused(deps.rotation.begin(key, call.act));
  return jsonResponse(202, await view(deps));
}

/** Seals again what is left and forgets the key before: the new one must be in its place by now. */
export async function finish(call: OperatorCall, deps: ManagementDeps): Promise<Response> {
  await refused(deps.rotation.finish(call.act));
  return jsonResponse(200, await view(deps));
}

async function view({ rotation }: ManagementDeps) {
  const { keyId, previousKeyId, rowsLeft } = await rotation.state();
  return { key_id: keyId, previous_key_id: previousKeyId, rows_left: rowsLeft };
}

async function refused(change: Promise<void>): Promise<void> {
  try {
    await change;
  } catch (error) {
    if (error instanceof RotationRefusedError)
      throw new ManagementError("rotation_unfinished", error.message);
    if (error instanceof KeyRingChangedError)
      throw new ManagementError("changed_meanwhile", error.message);
    throw error;
  }
}

function decodeKey(base64: string): Uint8Array<ArrayBuffer> | null {
  try {
    const key = Uint8Array.fromBase64(base64);
    return key.length === SEALING_KEY_BYTES && !isWeakMasterKey(key) ? key : null;
  } catch {
    return null;
  }
}
