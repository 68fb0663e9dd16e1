/** Gives each text a small number, from 0 in the order of first use. */
export class StringInterner {
  readonly #texts: string[] = [];
  readonly #numbers = new Map<string, number>();

  static of(texts: readonly string[]): StringInterner {
    const dictionary = new StringInterner();
    for (const text of texts) dictionary.intern(text);
    return dictionary;
  }

  get size(): number {
    return this.#texts.length;
  }

  get texts(): readonly string[] {
    return this.#texts;
  }

  intern(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }

  find(text: string): number | undefined {
    return this.#numbers.get(text);
  }

  text(number: number): string {
    return this.#texts[number] as string;
  }
}
