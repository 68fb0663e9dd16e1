/** Texts that have broken parsers before. */
const TOKENS = [
  '\u0000',
  '\r\n',
  '\n\n',
  '\ufeff',
  '\ud800',
  '\u2028',
  '__proto__',
  'constructor',
  '1e999',
  '-0',
  '9007199254740993',
  '{',
  '}',
  '[',
  ']',
  '"',
  "'",
  '\\',
  '\\u0000',
  ',',
  ':',
  '%00',
  '%',
  '&',
  '=',
  '#',
  '?',
  '../',
  '*a',
  '&a',
  '!!js/function',
  '<<',
  '---\n',
  '- ',
  'null',
  'true',
  '9999-12-31T23:59:59.999Z',
  '2026-02-30T00:00:00Z',
  '\u2014 ',
  '.',
  '..',
  '0',
  '-1',
  '=cmd()',
  '\ud83d\ude00',
] as const;

const LARGE = 3_000;

/** Returns a text that differs from a sample in one to a few places, or is made of two of them. */
export function mutate(samples: readonly string[], random: () => number): string {
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T;
  let text = pick(samples);
  for (let changes = 1 + Math.floor(random() ** 3 * 6); changes > 0; changes--) {
    const at = Math.floor(random() * (text.length + 1));
    const to = Math.min(text.length, at + Math.floor(random() ** 3 * 20));
    const [before, middle, after] = [text.slice(0, at), text.slice(at, to), text.slice(to)];
    switch (Math.floor(random() * 8)) {
      case 0:
        text = before + after;
        break;
      case 1:
        text = before + pick(TOKENS) + after;
        break;
      case 2:
        text = before + pick(TOKENS) + middle + after;
        break;
      case 3:
        text = before + middle + middle + after;
        break;
      case 4:
        text = before + String.fromCharCode(Math.floor(random() ** 2 * 0x3000)) + after;
        break;
      case 5: {
        const other = pick(samples);
        text = before + other.slice(Math.floor(random() * other.length));
        break;
      }
      case 6:
        text = before;
        break;
      default:
        if (random() < 0.05) text = before + (pick(TOKENS) as string).repeat(LARGE) + after;
        else text = before + after + middle;
    }
  }
  return text;
}
