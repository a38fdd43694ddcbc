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
  const quick = withModel(text, values);
  if (quick !== null) return quick;
  try {
    return editObject(text, scanObject(text), values);
  } catch (error) {
    if (error instanceof JsonTextError) throw new UpstreamFault(error.message);
    throw error;
  }
}

/**
 * Sets the model alone where it is one of the first members, behind plain values: then the first place that
 * looks like the member is it, and the rest of a long answer need not be looked at.
 */
function withModel(
  text: string,
  { model, ...others }: Readonly<Record<string, string | undefined>>,
): string | null {
  if (model === undefined || Object.keys(others).length > 0) return null;
  const at = text.indexOf(MODEL);
  const before = text.slice(0, at);
  if (at === -1 || before.lastIndexOf("{") !== before.indexOf("{") || /[[\\]/.test(before))
    return null;
  const from = at + MODEL.length;
  const to = text.indexOf('"', from);
  if (text.slice(from, to).includes("\\")) return null;
  return `${text.slice(0, from - 1)}${model}${text.slice(to + 1)}`;
}

const MODEL = '"model":"';
