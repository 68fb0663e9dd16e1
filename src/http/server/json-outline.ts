/** The outline of a JSON text: where its items are and how deep they go, found without parsing them. */

/** Maximum nesting of JSON. */
export const MAX_JSON_DEPTH = 32;

/** An item of a body, as offsets of bytes. */
export interface Outline {
  readonly start: number;
  readonly end: number;
  readonly isTooDeep: boolean;
}

const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
/** `[` and `]`; with the bit `CURLY` set they are `{` and `}`. */
const OPEN = 91;
const CLOSE = 93;
const CURLY = 32;

/**
 * Returns the items of a JSON text: those of a list, or the whole text as one item. The depth is that of the whole text. What is
 * not JSON has an arbitrary outline.
 */
export function outlineJson(bytes: Uint8Array, isList: boolean): Outline[] {
  const items: Outline[] = [];
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
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (byte === COMMA) {
      if (isList && depth === 1) end(at);
    } else if ((byte & ~CURLY) === OPEN) {
      depth++;
      if (depth > MAX_JSON_DEPTH) isTooDeep = true;
      if (isList && depth === 1) start = at + 1;
    } else if ((byte & ~CURLY) === CLOSE) {
      depth--;
      if (isList && depth === 0) {
        end(at);
        return items;
      }
    }
  }
  end(bytes.length);
  return items;
}

/** Returns the offset of the quote that ends a string, or the end of the text. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    if (bytes[at] === BACKSLASH) at++;
    else if (bytes[at] === QUOTE) return at;
  }
  return bytes.length;
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
