import type { ClusterNumber } from './interned-numbers.ts';
import type { StringInterner } from './string-interner.ts';

/** Finds ids that differ from a known one only in upper and lower case. Most ids have no upper case and cost nothing. */
export class IdCases {
  readonly #known: StringInterner<ClusterNumber>;
  /** The first id with an upper-case letter, by its form in lower case. */
  readonly #withUpperCase = new Map<string, string>();

  constructor(known: StringInterner<ClusterNumber>) {
    this.#known = known;
    for (const id of known.texts) this.#add(id);
  }

  /** Adds an id that was not known. @returns a known id that differs from it only in case. */
  add(id: string): string | undefined {
    const lower = id.toLowerCase();
    const other =
      this.#withUpperCase.get(lower) ??
      (lower !== id && this.#known.find(lower) !== undefined ? lower : undefined);
    this.#add(id);
    return other;
  }

  #add(id: string): void {
    const lower = id.toLowerCase();
    if (lower !== id && !this.#withUpperCase.has(lower)) this.#withUpperCase.set(lower, id);
  }
}
