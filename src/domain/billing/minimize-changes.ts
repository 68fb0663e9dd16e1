/** Work after which no more is left out: a bound on time, never on truth. */
const MOST_WORK = 1_000_000;

/**
 * The changes that made a difference: as few as can be found by leaving out one after the other, such that with these
 * alone the one state becomes the other, and with all but these nothing changes.
 * @param makes whether some of the changes, and they alone, do all that all of them do.
 * @param changes in an order in which the first are left out first.
 * @param cost of asking once, in facts that are folded. Of very many changes some may be left in that decide nothing.
 * Gives `undefined` wherever it may pause.
 * @returns those that remain, in their order; all where `makes` holds of no fewer.
 */
export function* minimizeChanges<T>(
  changes: readonly T[],
  makes: (some: ReadonlySet<T>) => boolean,
  cost: number,
): Generator<undefined, readonly T[]> {
  let left = changes;
  let work = 0;
  for (let size = Math.ceil(left.length / 2); size >= 1; ) {
    const before = left.length;
    for (let i = 0; i < left.length; ) {
      yield undefined;
      work += cost;
      if (work > MOST_WORK) return left;
      const fewer = left.toSpliced(i, size);
      if (makes(new Set(fewer))) left = fewer;
      else i += size;
    }
    // One by one, again and again until nothing can be left out: what one needs may be gone with another.
    if (size > 1) size = Math.ceil(size / 2);
    else if (left.length === before) break;
  }
  return left;
}
