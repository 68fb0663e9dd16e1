/** Number of lines that an axis has at most, besides zero. */
const MAX_LINES = 5;
/** Width of a letter below a chart, and space between two labels, in pixels. */
const LETTER_WIDTH = 7;
const GAP = 14;

/**
 * Returns the values of the lines of an axis that begins with zero: equal steps of 1, 2 or 5 times a power of ten. The last one is at
 * least the largest value.
 */
export function axisOf(max: number, isWhole: boolean): readonly number[] {
  if (max <= 0) return [0, 1];
  const least = max / MAX_LINES;
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= least) ?? 10;
  const step = isWhole ? Math.max(1, factor * power) : factor * power;
  const lines = Math.ceil(max / step - 1e-9);
  // Products, because sums of fractions would not be round.
  return Array.from({ length: lines + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

/** Returns the places of the labels that fit below a chart, the last one included. @param band width of a place, in pixels */
export function shownLabels(labels: readonly string[], band: number): readonly number[] {
  const width = Math.max(0, ...labels.map(({ length }) => length)) * LETTER_WIDTH + GAP;
  const every = Math.max(1, Math.ceil(width / Math.max(band, 1)));
  return labels.map((_, i) => i).filter((i) => (labels.length - 1 - i) % every === 0);
}
