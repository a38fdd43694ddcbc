/** Text that is HTML already. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | null | Html | readonly Html[];

/** Writes HTML. What is filled in is text, unless it is HTML itself. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  const [first = "", ...rest] = parts;
  return new Html(rest.reduce((text, part, index) => text + written(values[index]) + part, first));
}

/** Writes a text for people, in which something between backquotes is code, and `10^-8` a power. */
export function prose(text: string): Html {
  return new Html(
    escaped(text)
      .replaceAll(/`([^`]+)`/g, "<code>$1</code>")
      .replaceAll(/\^(-?\d+)/g, "<sup>$1</sup>"),
  );
}

/** Writes HTML texts one after the other. */
export function joined(texts: readonly Html[], separator = ""): Html {
  return new Html(texts.map((one) => one.text).join(separator));
}

function written(value: Value | undefined): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return joined(value).text;
  return escaped(String(value));
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
