/** The outline of a JSON text: where its items are, how deep they go and how many members they have, found without parsing. */

/** Maximum nesting of JSON. */
export const MAX_JSON_DEPTH = 32;

/** An item of a body, as offsets of bytes. */
export interface Outline {
  readonly start: number;
  readonly end: number;
  readonly isTooDeep: boolean;
}

/** The outline of a whole text. */
export interface JsonOutline {
  readonly items: readonly Outline[];
  /** Number of members of all objects, repeated ones included. */
  readonly members: number;
  /** Whether all numbers are whole, not negative and of few digits, and no string has an escape of a code unit (`\\u`). */
  readonly isSimple: boolean;
}

/** A double holds all whole numbers of so many digits. */
const EXACT_DIGITS = 15;

const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const SMALL_E = 101;
const SMALL_U = 117;
const BACKSLASH = 92;
/** `[` and `]`; with the bit `CURLY` set they are `{` and `}`. */
const OPEN = 91;
const CLOSE = 93;
const CURLY = 32;
const LOWER_CASE = 32;

/**
 * Returns the items of a JSON text: those of a list, or the whole text as one item. The depth is that of the whole text. What is
 * not JSON has an arbitrary outline.
 */
export function outlineJson(bytes: Uint8Array, isList: boolean): JsonOutline {
  const items: Outline[] = [];
  let members = 0;
  let isSimple = true;
  let depth = 0;
  let start = 0;
  let isTooDeep = false;
  const end = (at: number) => {
    items.push({ start, end: at, isTooDeep });
    start = at + 1;
    isTooDeep = false;
  };
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      for (at++; at < bytes.length && bytes[at] !== QUOTE; at++)
        if (bytes[at] === BACKSLASH && bytes[++at] === SMALL_U) isSimple = false;
    } else if (byte === COMMA) {
      if (isList && depth === 1) end(at);
    } else if (byte === COLON) {
      members++;
    } else if (byte === MINUS) {
      isSimple = false;
    } else if (byte >= ZERO && byte <= NINE) {
      const last = endOfDigits(bytes, at);
      const next = bytes[last + 1];
      if (last - at >= EXACT_DIGITS || next === DOT || next === SMALL_E || next === (SMALL_E & ~LOWER_CASE))
        isSimple = false;
      at = last;
    } else if ((byte & ~CURLY) === OPEN) {
      depth++;
      if (depth > MAX_JSON_DEPTH) isTooDeep = true;
      if (isList && depth === 1) start = at + 1;
    } else if ((byte & ~CURLY) === CLOSE) {
      depth--;
      if (isList && depth === 0) {
        end(at);
        return { items, members, isSimple };
      }
    }
  }
  end(bytes.length);
  return { items, members, isSimple };
}

/** Returns the offset of the last of consecutive digits. */
function endOfDigits(bytes: Uint8Array, start: number): number {
  let at = start;
  for (let next = bytes[at + 1]; next !== undefined && next >= ZERO && next <= NINE; next = bytes[at + 1])
    at++;
  return at;
}

/** Returns the text of an object with null for each object and list in it. The text may end within one of these. */
export function shallowJson(text: string): string {
  let shallow = '';
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      for (at++; at < text.length && text.charCodeAt(at) !== QUOTE; at++)
        if (text.charCodeAt(at) === BACKSLASH) at++;
    } else if (text[at] === '{' || text[at] === '[') {
      depth++;
      if (depth === 2) shallow += `${text.slice(from, at)}null`;
    } else if (text[at] === '}' || text[at] === ']') {
      depth--;
      if (depth === 1) from = at + 1;
    }
  }
  return depth > 1 ? `${shallow}}` : shallow + text.slice(from);
}
