/** How wide the pages are, in characters. */
const COLUMNS = 96;

/** Wraps a paragraph of Markdown, or the item of a list. @param first What it begins with, such as `- Fix: `. */
export function wrap(text: string, first = ""): string {
  const indent = first.startsWith("- ") ? "  " : "";
  const lines = [first];
  for (const word of words(text)) {
    const line = lines.at(-1) ?? "";
    const isEmpty = line.trim() === "" || line === first;
    if (!isEmpty && line.length + 1 + word.length > COLUMNS) lines.push(indent + word);
    else lines[lines.length - 1] = isEmpty ? line + word : `${line} ${word}`;
  }
  return lines.join("\n");
}

/** What stands between backticks stays on one line: a command can be copied. */
function words(text: string): string[] {
  return text.match(/(?:`[^`]*`|[^\s`])+/g) ?? [];
}
