/** The checks, in the order in which they are made. */
export type Check =
  | 'format'
  | 'signature'
  | 'inclusion'
  | 'consistency'
  | 'completeness'
  | 'statement'
  | 'seal';

/** The first thing that does not hold. */
export interface Failed {
  readonly ok: false;
  readonly check: Check;
  /** A sentence for people: which fact, or position, and what is wrong with it. */
  readonly why: string;
}

/** Ends a verification; never leaves it. */
export class Refuted extends Error {
  override readonly name = 'Refuted';
  readonly check: Check;

  constructor(check: Check, why: string) {
    super(why);
    this.check = check;
  }
}

/** The failure that an error means; whatever is not foreseen is thrown on. */
export function failed(error: unknown): Failed {
  if (!(error instanceof Refuted)) throw error;
  return { ok: false, check: error.check, why: error.message };
}
