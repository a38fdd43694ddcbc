import { SETTING_ROWS } from "../config.ts";
import type { Flag } from "./command.ts";

/** Every setting as a flag. */
export const SETTING_FLAGS: readonly Flag[] = SETTING_ROWS.map((row) => ({
  name: row.flag,
  kind: row.repeatable ? "values" : "value",
  value: row.value,
  help: row.repeatable ? `${row.help}; may be repeated` : row.help,
  default: row.default,
  environment: row.environment,
}));

/** Returns some settings as flags, in the order asked for. */
export function settingFlags(...names: readonly Flag["name"][]): Flag[] {
  return names.flatMap((name) => SETTING_FLAGS.filter((flag) => flag.name === name));
}
