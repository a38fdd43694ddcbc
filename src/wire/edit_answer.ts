import { editObject, JsonTextError, scanObject } from "../std/json_text.ts";
import { UpstreamFault } from "./translation.ts";

/**
 * Sets, adds or (for `undefined`) leaves out members of a provider's JSON object and keeps its other bytes.
 *
 * @param text The object's text. It must have passed `JSON.parse`.
 * @param values Per member name the JSON text of its new value.
 * @throws {UpstreamFault} If it names a member twice, or nests too deep to be read again.
 */
export function editAnswer(
  text: string,
  values: Readonly<Record<string, string | undefined>>,
): string {
  try {
    return editObject(text, scanObject(text), values);
  } catch (error) {
    if (error instanceof JsonTextError) throw new UpstreamFault(error.message);
    throw error;
  }
}
