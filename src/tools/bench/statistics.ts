/** The middle of several rounds, and how far apart they lie. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Returns the spread of the values of all rounds. @throws {RangeError} If there are none. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    min: percentile(sorted, 0),
    median: percentile(sorted, 0.5),
    max: percentile(sorted, 1),
  };
}

/**
 * Returns a percentile, between the two nearest values where none falls on it.
 *
 * @param sorted In ascending order.
 * @param fraction From 0 to 1: 0.99 is the 99th percentile.
 * @throws {RangeError} If there are no values.
 */
export function percentile(sorted: readonly number[], fraction: number): number {
  const place = fraction * (sorted.length - 1);
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined)
    throw new RangeError("Cannot take percentile: there are no values");
  return below + (above - below) * (place - Math.floor(place));
}

/**
 * Combines two measurements round by round, so that what disturbs a round disturbs both sides of it.
 *
 * @throws {RangeError} If one has more rounds than the other.
 */
export function pairwise(
  values: readonly number[],
  base: readonly number[],
  combine: (value: number, base: number) => number,
): number[] {
  if (values.length !== base.length)
    throw new RangeError(`Cannot pair rounds: ${values.length} stand against ${base.length}`);
  return values.map((value, round) => combine(value, base[round] ?? Number.NaN));
}
