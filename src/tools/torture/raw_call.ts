import { bodyOf, type ClientCall } from "./client.ts";
import { requestBytes } from "../bench/request_bytes.ts";

/** Returns the bytes of a call, for a connection that is written byte by byte. */
export function callBytes(secret: string, call: ClientCall): Buffer {
  const path = call.operation === "chat" ? "chat/completions" : "embeddings";
  const headers = { authorization: `Bearer ${secret}` };
  return requestBytes(`/inference/v1/${path}`, headers, JSON.stringify(bodyOf(call)));
}
