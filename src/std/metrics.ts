import {
  type LabelPairs,
  labelText,
  metricHead,
  type MetricType,
  valueText,
} from "./metric_text.ts";

/** Bounds the label sets of one metric, unless it says otherwise. */
const SERIES_MAX = 2000;

/** Every label of what comes when a metric has as many label sets as it may have. */
const OTHER = "other";

/** How much text is written before others get their turn, in characters. */
const TURN_CHARS = 1 << 17;

/** A number that only grows while the process lives. */
export class Counter {
  value = 0;

  add(by = 1): void {
    this.value += by;
  }
}

/** A number that is what it was last set to. */
export class Gauge {
  value = 0;
}

/** Counts values by the bucket they fall into, and adds them up. */
export class Histogram {
  readonly bounds: readonly number[];
  /** One more than there are bounds; not cumulated. */
  readonly counts: number[];
  sum = 0;

  /** @param bounds The largest value of each bucket but the last, ascending. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] ?? 0)) at += 1;
    counts[at] = (counts[at] ?? 0) + 1;
    this.sum += value;
  }
}

/** What a metric is called, what it tells, and by which labels. */
export interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** Bounds its label sets; what comes later is counted together. */
  readonly seriesMax?: number;
}

/** A value of a gauge with labels: the values of its labels, in their order, and its own. */
export type GaugeSample = readonly [labels: readonly string[], value: number];

interface Labelled<Series> {
  readonly labels: string;
  readonly pairs: LabelPairs;
  readonly series: Series;
}

/** Label values in order, as a tree: finding a series builds no text. */
type Branch<Series> = Map<string, Branch<Series> | Series>;

/** One metric: a series for each set of label values that was asked for. */
export class Family<Series extends Counter | Gauge | Histogram> {
  readonly name: string;
  readonly #head: string;
  readonly #labels: readonly string[];
  readonly #seriesMax: number;
  readonly #create: () => Series;
  readonly #tree: Branch<Series> = new Map();
  readonly #all: Labelled<Series>[] = [];
  #other: Series | null = null;

  constructor(type: MetricType, options: MetricOptions, create: () => Series) {
    this.name = options.name;
    this.#head = metricHead(options.name, options.help, type);
    this.#labels = options.labels ?? [];
    this.#seriesMax = options.seriesMax ?? SERIES_MAX;
    this.#create = create;
  }

  /**
   * Returns the series of these label values, one for each label in order. Keep it where it is needed often.
   * Beyond the bound it is the one that all further label values share.
   */
  with(...values: readonly string[]): Series {
    let branch = this.#tree;
    for (const value of values.slice(0, -1)) {
      let next = branch.get(value);
      if (!(next instanceof Map)) {
        if (this.#all.length >= this.#seriesMax) return this.#shared();
        next = new Map();
        branch.set(value, next);
      }
      branch = next;
    }
    const last = values.at(-1) ?? "";
    const known = branch.get(last);
    if (known !== undefined && !(known instanceof Map)) return known;
    if (this.#all.length >= this.#seriesMax) return this.#shared();
    const created = this.#add(values);
    branch.set(last, created);
    return created;
  }

  /** Forgets every series. */
  clear(): void {
    this.#tree.clear();
    this.#all.length = 0;
    this.#other = null;
  }

  /** Returns the metric in the text format; empty as long as it has no series. */
  text(): string {
    if (this.#all.length === 0) return "";
    return this.#head + this.#all.map((one) => seriesText(this.name, one)).join("");
  }

  #shared(): Series {
    this.#other ??= this.#add(this.#labels.map(() => OTHER));
    return this.#other;
  }

  #add(values: readonly string[]): Series {
    const pairs = this.#labels.map((name, index) => [name, values[index] ?? ""] as const);
    const series = this.#create();
    this.#all.push({ labels: labelText(pairs), pairs, series });
    return series;
  }
}

/** A gauge whose samples are all told anew whenever it is read. */
export class GaugeFamily extends Family<Gauge> {
  readonly #samplesMax: number;

  constructor(options: MetricOptions) {
    super("gauge", options, () => new Gauge());
    this.#samplesMax = options.seriesMax ?? SERIES_MAX;
  }

  /** Shows these samples and no others; those beyond the bound are left out, for no sum of them means anything. */
  show(samples: readonly GaugeSample[]): void {
    this.clear();
    for (const [labels, value] of samples.slice(0, this.#samplesMax))
      this.with(...labels).value = value;
  }

  /** Sets the one sample of a gauge without labels. */
  set(value: number): void {
    this.with().value = value;
  }
}

/** Every metric of a process, in the order in which they were made. */
export class Metrics {
  readonly #families = new Map<string, Pick<Family<Counter | Gauge | Histogram>, "text">>();

  counter(options: MetricOptions): Family<Counter> {
    return this.#register(options, new Family("counter", options, () => new Counter()));
  }

  gauge(options: MetricOptions): GaugeFamily {
    return this.#register(options, new GaugeFamily(options));
  }

  /** @param bounds The largest value of each bucket but the last, ascending. */
  histogram(options: MetricOptions, bounds: readonly number[]): Family<Histogram> {
    const create = () => new Histogram(bounds);
    return this.#register(options, new Family("histogram", options, create));
  }

  /** Shows a histogram without labels that somebody else keeps. */
  show(options: MetricOptions, histogram: Histogram): void {
    this.#register(options, new Family("histogram", options, () => histogram)).with();
  }

  /** Writes all metrics in the text format. */
  async text(): Promise<string> {
    let text = "";
    let turnAt = TURN_CHARS;
    for (const family of this.#families.values()) {
      text += family.text();
      if (text.length < turnAt) continue;
      turnAt = text.length + TURN_CHARS;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return text;
  }

  #register<F extends Pick<Family<Counter | Gauge | Histogram>, "text">>(
    { name }: MetricOptions,
    family: F,
  ): F {
    if (this.#families.has(name)) throw new Error(`Cannot add metric "${name}": there is one`);
    this.#families.set(name, family);
    return family;
  }
}

function seriesText(name: string, one: Labelled<Counter | Gauge | Histogram>): string {
  const { labels, pairs, series } = one;
  if (!(series instanceof Histogram)) return `${name}${labels} ${valueText(series.value)}\n`;
  let count = 0;
  let text = "";
  for (const [index, inBucket] of series.counts.entries()) {
    count += inBucket;
    const bound = valueText(series.bounds[index] ?? Number.POSITIVE_INFINITY);
    text += `${name}_bucket${labelText([...pairs, ["le", bound]])} ${count}\n`;
  }
  return `${text}${name}_sum${labels} ${valueText(series.sum)}\n${name}_count${labels} ${count}\n`;
}
