import { EXIT } from "../../cli/exit_codes.ts";
import { SETTING_ROWS, type SettingRow } from "../../config.ts";
import { CAUSES as CALL_CAUSES } from "../../data_plane/openapi/errors.ts";
import { ERRORS } from "../../domain/errors.ts";
import { MANAGEMENT_ERRORS } from "../../management_plane/error_response.ts";
import { CAUSES as MANAGEMENT_CAUSES } from "../../management_plane/openapi/errors.ts";
import { CALL_FIXES, EXIT_MEANINGS, MANAGEMENT_FIXES } from "./error_fixes.ts";
import { wrap } from "./wrap.ts";

/** The parts of the pages that are made from the program, by the name that stands in their first remark. */
export const GENERATED_PARTS: Readonly<Record<string, () => string>> = {
  settings: () => SETTING_ROWS.map(settingText).join("\n\n"),
  "call errors": callErrors,
  "management errors": managementErrors,
  "exit codes": exitCodes,
};

/** Returns a page with its generated parts made anew. @throws {RangeError} If it asks for a part that is none. */
export function withGeneratedParts(page: string): string {
  return page.replaceAll(PART, (_, name: string) => {
    const make = GENERATED_PARTS[name];
    if (make === undefined) throw new RangeError(`Cannot make part "${name}": there is none`);
    return `<!-- made: ${name} -->\n\n${make()}\n\n<!-- end -->`;
  });
}

const PART = /<!-- made: (.+) -->\n[^]*?<!-- end -->/g;

function settingText({ flag, value, environment, default: unset, help, repeatable }: SettingRow) {
  const set = unset === "" ? "" : `, default \`${unset}\``;
  const often = repeatable ? "; may be repeated, and takes commas in the environment" : "";
  return `### \`${flag} ${value}\`\n\n${wrap(`${help}${often}.`)}\n\n\`${environment}\`${set}`;
}

function callErrors(): string {
  const rows = entriesOf(ERRORS).map(([code, [status, type]]) => {
    const about = `Type \`${type}\`.`;
    return { status, code, about, cause: CALL_CAUSES[code], fix: CALL_FIXES[code] };
  });
  return errorTexts(rows);
}

function managementErrors(): string {
  const rows = entriesOf(MANAGEMENT_ERRORS).map(([code, status]) => {
    return { status, code, about: "", cause: MANAGEMENT_CAUSES[code], fix: MANAGEMENT_FIXES[code] };
  });
  return errorTexts(rows);
}

interface ErrorRow {
  readonly status: number;
  readonly code: string;
  readonly about: string;
  readonly cause: string;
  readonly fix: string;
}

function errorTexts(rows: readonly ErrorRow[]): string {
  return rows
    .toSorted((a, b) => a.status - b.status)
    .map(({ status, code, about, cause, fix }) =>
      [
        `### ${status} \`${code}\``,
        "",
        wrap(`${cause}. ${about}`.trim(), "- Cause: "),
        wrap(fix, "- Fix: "),
      ].join("\n"),
    )
    .join("\n\n");
}

function exitCodes(): string {
  return Object.values(EXIT)
    .map((code) => wrap(EXIT_MEANINGS[code], `- \`${code}\`: `))
    .join("\n");
}

function entriesOf<Table extends object>(table: Table) {
  return Object.entries(table) as [keyof Table & string, Table[keyof Table]][];
}
