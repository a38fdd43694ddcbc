import { isJsonObject, parseJsonObject } from "../../std/json.ts";
import { ask } from "./client.ts";
import type { CreatedKey, Proxy } from "./proxy.ts";

/**
 * Says whether something is still held of a key's tokens when all its calls have ended. The ledger tells when it
 * refuses a call, so the key is left with a token limit that it is beyond.
 */
export async function heldFaults(proxy: Proxy, key: CreatedKey): Promise<string[]> {
  await proxy.manage("PATCH", `/keys/${key.id}`, { monthly_token_limit: 1 });
  const call = { model: "beyond", operation: "chat", stream: false } as const;
  const { status, text } = await ask({ url: proxy.url, secret: key.secret }, call);
  const error = parseJsonObject(text ?? "")?.["error"];
  const held = isJsonObject(error) ? error["held"] : undefined;
  if (held === 0) return [];
  return [`beyond its limit a key is answered ${status}, held ${JSON.stringify(held)}`];
}
