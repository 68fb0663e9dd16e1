/** Milliseconds of billed time. A bigint, because a sum over many clusters may exceed 2^53. */
export type Milliseconds = bigint;

/** An integer of which `Number.isSafeInteger` holds. */
type SafeInteger = number;

/** Formats milliseconds as seconds with exactly 3 decimal places: `1n` is `"0.001"`, `-1500n` is `"-1.500"`. */
export function formatSeconds(ms: Milliseconds | SafeInteger): string {
  if (typeof ms === 'bigint' && (ms < 0n || ms > MAX_EXACT)) return formatFixed(ms, 3);
  const exact = Number(ms);
  if (exact < 0) return formatFixed(BigInt(exact), 3);
  const seconds = Math.floor(exact / 1_000);
  return `${seconds}.${THREE_DIGITS[exact - 1_000 * seconds]}`;
}

/** Returns `numerator / denominator` with 6 decimal places, rounded half to even; `0.000000` if the denominator is 0. */
export function formatAverage(numerator: Milliseconds | SafeInteger, denominator: SafeInteger): string {
  const isExact = typeof numerator === 'number' || numerator <= MAX_EXACT;
  if (isExact && 0 < denominator && denominator < MAX_FAST_DENOMINATOR)
    return formatFastAverage(Number(numerator), denominator);
  return denominator === 0 ? formatFixed(0n, 6) : formatRatio(BigInt(numerator), BigInt(denominator), 6);
}

/**
 * Returns billed time, extended by a time during which some clusters are billed. It is a bigint only if a number would not be exact:
 * numbers are ten times as fast.
 */
export function extended(
  ms: Milliseconds,
  clusters: SafeInteger,
  later: SafeInteger,
): Milliseconds | SafeInteger {
  const added = clusters * later;
  const sum = ms <= MAX_EXACT ? Number(ms) + added : Number.NaN;
  return Number.isSafeInteger(added) && Number.isSafeInteger(sum)
    ? sum
    : ms + BigInt(clusters) * BigInt(later);
}

/**
 * Returns `numerator / denominator` with a fixed number of decimal places, rounded half to even.
 * @param numerator not negative. @param denominator positive.
 */
export function formatRatio(numerator: bigint, denominator: bigint, places: number): string {
  const scaled = numerator * 10n ** BigInt(places);
  const quotient = scaled / denominator;
  const twiceRemainder = (scaled % denominator) * 2n;
  const isUp = twiceRemainder > denominator || (twiceRemainder === denominator && quotient % 2n === 1n);
  return formatFixed(isUp ? quotient + 1n : quotient, places);
}

/** Integers up to this one are exact as numbers, which are ten times as fast as bigints. */
const MAX_EXACT = BigInt(Number.MAX_SAFE_INTEGER);
/** Below this denominator, a remainder times 1,000,000 is exact as a number. It is 104 days in milliseconds. */
const MAX_FAST_DENOMINATOR = 9_000_000_000;

/** The numbers below 1,000 with three digits. */
const THREE_DIGITS = Array.from({ length: 1_000 }, (_, n) => String(n).padStart(3, '0'));

/** Returns what `formatRatio` returns for 6 places, computed with numbers. */
function formatFastAverage(numerator: number, denominator: number): string {
  // Below 2^53, the quotient of two integers is never rounded up to the next integer.
  const whole = Math.floor(numerator / denominator);
  const scaled = (numerator - whole * denominator) * 1e6;
  const quotient = Math.floor(scaled / denominator);
  const twice = 2 * (scaled - quotient * denominator);
  const isUp = twice > denominator || (twice === denominator && quotient % 2 === 1);
  const millionths = isUp ? quotient + 1 : quotient;
  if (millionths === 1e6) return `${whole + 1}.000000`;
  const thousandths = Math.floor(millionths / 1_000);
  return `${whole}.${THREE_DIGITS[thousandths]}${THREE_DIGITS[millionths - 1_000 * thousandths]}`;
}

function formatFixed(value: bigint, places: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(places + 1, '0');
  const sign = value < 0n ? '-' : '';
  return `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** Exact sum of integers. It adds in floating point, which is faster, and moves large partial sums to a bigint. */
export class ExactSum {
  #carried = 0n;
  #rest = 0;

  /** @param value a non-negative integer below 2^52. */
  add(value: number): void {
    this.#rest += value;
    if (this.#rest >= 2 ** 52) {
      this.#carried += BigInt(this.#rest);
      this.#rest = 0;
    }
  }

  /** Adds another sum. */
  addAll(other: ExactSum): void {
    this.#carried += other.#carried;
    this.add(other.#rest);
  }

  get total(): bigint {
    return this.#carried + BigInt(this.#rest);
  }
}

/** The two additive measures, signed. */
export interface Amounts {
  readonly billableClusters: number;
  /** Seconds with 3 decimal places. */
  readonly clusterSeconds: string;
}

/** Parses seconds with exactly 3 decimal places to milliseconds. @returns `undefined` if the text has another form. */
export function parseSeconds(text: unknown): Milliseconds | undefined {
  return typeof text === 'string' && /^-?\d+\.\d{3}$/.test(text) ? BigInt(text.replace('.', '')) : undefined;
}

/** Exact sum of amounts. */
export class AmountSum {
  #billableClusters = 0;
  #billed = 0n;

  add(amounts: Amounts): this {
    return this.#add(amounts, 1);
  }

  subtract(amounts: Amounts): this {
    return this.#add(amounts, -1);
  }

  #add({ billableClusters, clusterSeconds }: Amounts, sign: 1 | -1): this {
    this.#billableClusters += sign * billableClusters;
    this.#billed += BigInt(sign) * (parseSeconds(clusterSeconds) as Milliseconds);
    return this;
  }

  get total(): Amounts {
    return { billableClusters: this.#billableClusters, clusterSeconds: formatSeconds(this.#billed) };
  }
}
