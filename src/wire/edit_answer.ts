import { parseJsonObject } from "../std/json.ts";
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

/** Sets the model alone without looking at the whole of a long answer; null if that is not certain to be right. */
function withModel(
  text: string,
  values: Readonly<Record<string, string | undefined>>,
): string | null {
  const { model } = values;
  if (model === undefined || Object.keys(values).length > 1) return null;
  const at = modelInHead(text) ?? modelInTail(text);
  if (at === null) return null;
  const from = at + MODEL.length;
  const to = text.indexOf('"', from);
  if (text.slice(from, to).includes("\\")) return null;
  return `${text.slice(0, from - 1)}${model}${text.slice(to + 1)}`;
}

const MODEL = '"model":"';

/** How far from the end the model is looked for, in characters: usage stands behind it. */
const TAIL_CHARS = 2000;

/** Behind plain values only, the first place that looks like the member is the object's own. */
function modelInHead(text: string): number | null {
  const at = text.indexOf(MODEL);
  if (at === -1) return null;
  const before = text.slice(0, at);
  return before.lastIndexOf("{") === before.indexOf("{") && !/[[\\]/.test(before) ? at : null;
}

/** What is an object from the member to the end of the text ends with the brace of the outermost one. */
function modelInTail(text: string): number | null {
  const at = text.lastIndexOf(MODEL);
  if (at === -1 || text.length - at > TAIL_CHARS) return null;
  return parseJsonObject(`{${text.slice(at)}`) === null ? null : at;
}
