/** Maximum work, in folded facts. It limits the time; the result is a correct cause in any case, but may not be minimal. */
const MAX_WORK = 1_000_000;

/**
 * Delta debugging (ddmin, Zeller and Hildebrandt 2002, without its test of subsets): finds a small subset of `changes` that
 * alone turns the old state into the new one, by leaving out parts of decreasing size. Yields where the caller may pause.
 * @param changes the first ones are left out first.
 * @param isSufficient returns whether a subset alone has the effect of all changes. It too yields where the caller may pause.
 * @param cost of one call of `isSufficient`, in folded facts. If the total is too high, the subset may not be minimal.
 * @returns the remaining changes, in order.
 */
export function* minimizeChanges<T>(
  changes: readonly T[],
  isSufficient: (subset: ReadonlySet<T>) => Generator<undefined, boolean>,
  cost: number,
): Generator<undefined, readonly T[]> {
  let left = changes;
  let work = 0;
  for (let size = Math.ceil(left.length / 2); size >= 1; ) {
    const before = left.length;
    for (let i = 0; i < left.length; ) {
      yield undefined;
      work += cost;
      if (work > MAX_WORK) return left;
      const fewer = left.toSpliced(i, size);
      if (yield* isSufficient(new Set(fewer))) left = fewer;
      else i += size;
    }
    // Repeats size 1 until nothing can be left out, because a change may become unnecessary once another one is left out.
    if (size > 1) size = Math.ceil(size / 2);
    else if (left.length === before) break;
  }
  return left;
}
