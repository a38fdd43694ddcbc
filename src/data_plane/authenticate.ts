import { ProxyError } from "../domain/errors.ts";
import { hashKey, isWellFormed } from "../domain/inference_key_text.ts";
import type { KeyRecord } from "../store/directory.ts";
import type { Deps } from "./deps.ts";

/** Who makes a call: the key, and the hash that finds it again after an await. */
export interface Caller {
  readonly keyHash: string;
  readonly key: KeyRecord;
}

const BEARER = /^bearer +(.*)$/i;

/**
 * Finds the inference key that a request presents in `Authorization: Bearer`, `x-api-key` or `api-key`.
 *
 * @throws {ProxyError} `invalid_key`, the same for a key that is missing, unknown, revoked or suspended.
 */
export function authenticate(headers: Headers, deps: Pick<Deps, "directory">): Caller {
  const text = presentedKey(headers);
  if (text === null) throw invalidKey();
  const keyHash = hashKey(text);
  // The checksum of a key that is not known tells a typo before it costs a read.
  if (!deps.directory.knowsKey(keyHash) && !isWellFormed(text)) throw invalidKey();
  return { keyHash, key: activeKey(keyHash, deps) };
}

/** Returns the key as it stands now. @throws {ProxyError} If it may not call any more. */
export function activeKey(keyHash: string, { directory }: Pick<Deps, "directory">): KeyRecord {
  const key = directory.key(keyHash);
  if (key === null || !key.active) throw invalidKey();
  return key;
}

/** Returns the one key presented, or null if there is none or headers disagree. */
function presentedKey(headers: Headers): string | null {
  const bearer = BEARER.exec(headers.get("authorization") ?? "")?.[1] ?? null;
  const xApiKey = headers.get("x-api-key");
  const apiKey = headers.get("api-key");
  const key = bearer ?? xApiKey ?? apiKey;
  const agrees = (xApiKey ?? key) === key && (apiKey ?? key) === key;
  return agrees ? key : null;
}

function invalidKey(): ProxyError {
  return new ProxyError(
    "invalid_key",
    "Cannot authenticate: no valid inference key was presented",
    {
      headers: { "www-authenticate": "Bearer" },
    },
  );
}
