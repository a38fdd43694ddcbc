import { SETTING_ROWS } from "../../config.ts";
import { SERVICE } from "./places.ts";

const LISTEN = "INFERENCE_PROXY_LISTEN";

/** The unit decides these: elsewhere the service may not write, and could not read. */
const OF_THE_UNIT = ["INFERENCE_PROXY_DATA_DIR", "INFERENCE_PROXY_MASTER_KEY_FILE"];

/**
 * Returns the file of the service's settings: every one with its default, commented out.
 *
 * @param listen Where to listen if not at the default, as `host:port`.
 */
export function settingsText(listen: string | null): string {
  const rows = SETTING_ROWS.filter((row) => !OF_THE_UNIT.includes(row.environment));
  const settings = rows.map((row) => {
    const chosen = row.environment === LISTEN ? listen : null;
    const setting = `${row.environment}=${chosen ?? row.default}`;
    const form = row.repeatable ? `${row.value}, separated by commas` : row.value;
    return `# ${row.help} (${form})\n${chosen === null ? "#" : ""}${setting}\n`;
  });
  return [
    `# Settings of ${SERVICE}.service, read at its start: systemctl restart ${SERVICE}`,
    "# Written when the service was installed; later installs leave this file alone.",
    "",
    ...settings,
  ].join("\n");
}

/** Returns where a file of settings makes the service listen, or null if it leaves the default. */
export function listenOf(settings: string): string | null {
  const values = [...settings.matchAll(new RegExp(`^[ \\t]*${LISTEN}=(.*)$`, "gm"))];
  const last = values
    .at(-1)?.[1]
    ?.trim()
    .replace(/^(["'])(.*)\1$/, "$2");
  return last === undefined || last === "" ? null : last;
}
