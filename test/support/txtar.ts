/** A text archive: a comment, then named sections in the order of the file. */
export interface Txtar {
  readonly comment: string;
  readonly sections: ReadonlyMap<string, string>;
}

const MARKER = /^-- ([^\s].*?) --$/;

/**
 * Parses a text archive. A line `-- name --` opens a section, which holds every character up to the
 * next such line: blank lines and the last line end belong to it.
 *
 * @throws {SyntaxError} If a section stands twice.
 */
export function parseTxtar(text: string): Txtar {
  const sections = new Map<string, string>();
  let comment = "";
  let name: string | null = null;
  for (const line of text.split(/(?<=\n)/)) {
    const opened = MARKER.exec(line.trimEnd())?.[1];
    if (opened !== undefined) {
      if (sections.has(opened)) throw new SyntaxError(`Cannot parse archive: "${opened}" twice`);
      name = opened;
      sections.set(name, "");
    } else if (name === null) {
      comment += line;
    } else {
      sections.set(name, (sections.get(name) ?? "") + line);
    }
  }
  return { comment: comment.trim(), sections };
}
