/** What one line of the exposition says besides its value: names and values of labels, in order. */
export type LabelPairs = readonly (readonly [name: string, value: string])[];

export type MetricType = "counter" | "gauge" | "histogram";

/** The media type of the text format. */
export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Writes the two lines that stand above the samples of a metric. */
export function metricHead(name: string, help: string, type: MetricType): string {
  const text = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return `# HELP ${name} ${text}\n# TYPE ${name} ${type}\n`;
}

/** Writes labels as they stand between a name and its value; empty if there are none. */
export function labelText(labels: LabelPairs): string {
  if (labels.length === 0) return "";
  return `{${labels.map(([name, value]) => `${name}="${escaped(value)}"`).join(",")}}`;
}

/** Writes a value: the format knows numbers, and three words for what is none. */
export function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

function escaped(value: string): string {
  if (!/[\\"\n]/.test(value)) return value;
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
