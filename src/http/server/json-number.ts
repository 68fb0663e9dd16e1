/** Maximum number of significant digits with which languages write a double. */
const DOUBLE_DIGITS = 17;

/**
 * Returns what is wrong with a number of JSON, or `undefined`. The ledger stores numbers as doubles, and writes them in their
 * shortest form (RFC 8785). A number is wrong if that form is another number. Fractions of up to 17 digits are right: languages
 * write doubles like that.
 */
export function numberFault(text: string): string | undefined {
  if (text.length < 16 && /^(?!-0)-?\d+(\.\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value)) return `${shown(text)} is larger than a JSON number can hold`;
  if (Object.is(value, -0)) return `${shown(text)} would be stored as 0`;
  const given = decimalOf(text);
  const stored = decimalOf(String(value));
  if (given.digits === stored.digits && given.exponent === stored.exponent) return undefined;
  const isFraction = given.exponent < 0;
  if (isFraction && value !== 0 && given.digits.length <= DOUBLE_DIGITS) return undefined;
  return `${shown(text)} would be stored as ${value}; write it as text, or with fewer digits`;
}

function shown(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** The value of a decimal number without its sign: `digits`, which neither begin nor end with 0, times 10 to the `exponent`. */
function decimalOf(text: string): { readonly digits: string; readonly exponent: number } {
  const [, whole = '', fraction = '', power = '0'] =
    /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const all = (whole + fraction).replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  if (digits === '') return { digits, exponent: 0 };
  return { digits, exponent: Number(power) - fraction.length + (all.length - digits.length) };
}
