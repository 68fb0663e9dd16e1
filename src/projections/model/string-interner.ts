import { compareCodeUnits } from '../../util/compare-code-units.ts';

/** Assigns numbers to texts: 0, 1, 2, … in the order of first use. */
export class StringInterner<N extends number> {
  readonly #texts: string[] = [];
  readonly #numbers = new Map<string, N>();
  #sorted: readonly N[] = [];

  /** Returns the texts of another one, all different, with the same numbers. They are not copied. */
  static of<N extends number>(texts: readonly string[]): StringInterner<N> {
    const interner = new StringInterner<N>();
    for (const text of texts) interner.#add(text);
    return interner;
  }

  get size(): number {
    return this.#texts.length;
  }

  get texts(): readonly string[] {
    return this.#texts;
  }

  /** The numbers of the texts in order of their code units. They are sorted again only if there are new ones. */
  get sorted(): readonly N[] {
    if (this.#sorted.length !== this.#texts.length)
      this.#sorted = this.#texts
        .map((_, number) => number as N)
        .sort((a, b) => compareCodeUnits(this.text(a), this.text(b)));
    return this.#sorted;
  }

  intern(text: string): N {
    return this.#numbers.get(text) ?? this.#add(copyOf(text));
  }

  #add(text: string): N {
    const number = this.#texts.length as N;
    this.#numbers.set(text, number);
    this.#texts.push(text);
    return number;
  }

  find(text: string): N | undefined {
    return this.#numbers.get(text);
  }

  /** Returns the interned text that equals a text, so that the other one needs no memory; the text itself if there is none. */
  keptOr(text: string): string {
    const number = this.#numbers.get(text);
    return number === undefined ? text : this.text(number);
  }

  text(number: N): string {
    return this.#texts[number] as string;
  }
}

/** Returns a text of its own: one that was cut from another keeps all of that in memory. */
function copyOf(text: string): string {
  return JSON.parse(JSON.stringify(text)) as string;
}
