import { isUtf8 } from 'node:buffer';
import { jsonPointer } from '../../util/json-pointer.ts';
import { numberFault } from './json-number.ts';
import { MAX_JSON_DEPTH, type Outline, outlineJson } from './json-outline.ts';

/** An error in JSON text, with an RFC 6901 pointer to the invalid value. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
  readonly pointer: string;

  constructor(message: string, pointer = '') {
    super(message);
    this.pointer = pointer;
  }
}

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const OPEN_ARRAY = 91;
const BACKSLASH = 92;
const CLOSE_ARRAY = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

interface Level {
  /** Keys read so far; `undefined` in an array. */
  readonly keys: Set<string> | undefined;
  index: number;
  key: string;
  /** Whether the next string is a key. */
  atKey: boolean;
}

/** JSON that is too large. */
export class JsonTooLarge extends JsonError {}

/** A value that strict JSON does not allow, in a text that can be read otherwise. */
export interface JsonFault {
  readonly error: JsonError;
  /** The beginning of the text of the value. */
  readonly text: string;
}

/** The items of a body, and what is wrong with them. */
export interface JsonItems {
  readonly value: unknown;
  /** The first fault of each item, by the index of the item. The value of an item with a fault is arbitrary. */
  readonly faults: ReadonlyMap<number, JsonFault>;
  /** Sizes of the texts of the items, in bytes. */
  readonly sizes: readonly number[];
}

/** How a body is divided into items that are judged independently: a body that is not a list is one item. */
export type Division = 'list' | 'whole';

/** Maximum length of the text of a fault, in bytes. */
const MAX_FAULT_BYTES = 64 * 1024;

/**
 * Parses JSON (RFC 8259) and rejects everything that `JSON.parse` would silently change or drop: bytes that are not UTF-8,
 * duplicate keys, `__proto__`, numbers that a double does not hold, lone surrogates, and nesting deeper than 32.
 * @throws JsonError
 */
export function parseStrictJson(bytes: Buffer): unknown {
  const { value, faults } = parseJsonItems(bytes, 'whole');
  for (const { error } of faults.values()) throw error;
  return value;
}

/**
 * Parses JSON as `parseStrictJson` does, and judges each item of a list on its own. Depth and size are checked before anything
 * is parsed: items that are too deep or too large are never parsed.
 * @param maxItemBytes maximum size of an item in bytes.
 * @throws JsonError if the body as a whole cannot be read
 */
export function parseJsonItems(
  bytes: Buffer,
  division: Division,
  maxItemBytes = Number.POSITIVE_INFINITY,
): JsonItems {
  if (!isUtf8(bytes)) throw new JsonError('the body is not valid UTF-8');
  const isList = division === 'list' && /^\s*\[/.test(bytes.toString('latin1', 0, 64));
  const outline = outlineJson(bytes, isList);
  const { items } = outline;
  const sizes = items.map(({ start, end }) => end - start);
  const faults = new Map<number, JsonFault>();
  const textOf = ({ start, end }: Outline) =>
    bytes.toString('utf8', start, Math.min(end, start + MAX_FAULT_BYTES)).trim();
  for (const [index, item] of items.entries()) {
    const size = sizes[index] as number;
    if (!item.isTooDeep && size <= maxItemBytes) continue;
    const error = item.isTooDeep
      ? new JsonError(`the JSON is nested deeper than ${MAX_JSON_DEPTH}`)
      : new JsonTooLarge(`the JSON has ${size} bytes; at most ${maxItemBytes} are allowed`);
    faults.set(index, { error, text: textOf(item) });
    if (!isList) return { value: undefined, faults, sizes };
    bytes.fill(SPACE, item.start, item.end);
    bytes.write('null', item.start);
  }
  const text = bytes.toString('utf8');
  const value = parse(text);
  // Almost every body is strict by its outline alone: then it need not be scanned.
  if (outline.isSimple && allowedMembers(value) === outline.members) return { value, faults, sizes };
  scan(text, (message, levels) => {
    const index = isList ? (levels[0]?.index ?? 0) : 0;
    if (faults.has(index)) return;
    const error = new JsonError(message, pointerOf(isList ? levels.slice(1) : levels));
    faults.set(index, { error, text: textOf(items[index] as Outline) });
  });
  return { value, faults, sizes };
}

/**
 * Returns the number of members of all objects in a parsed value; NaN if one of them has a forbidden key. It is less than that of
 * the text if the text has a key twice.
 */
function allowedMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += allowedMembers(item);
    return members;
  }
  for (const key in value) {
    if (FORBIDDEN_KEYS.has(key)) return Number.NaN;
    members += 1 + allowedMembers((value as Readonly<Record<string, unknown>>)[key]);
  }
  return members;
}

function parse(text: string): unknown {
  if (text.trim() === '') throw new JsonError('the body is empty; it must be JSON');
  if (text.startsWith('\ufeff'))
    throw new JsonError('the body begins with a byte order mark; JSON has none (RFC 8259, section 8.1)');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new JsonError(`the body is not valid JSON: ${(error as Error).message}`);
  }
}

/** Reports what strict JSON does not allow. The levels lead to the value. */
type Report = (message: string, levels: readonly Level[]) => void;

/** Checks a text that is known to be valid JSON. */
function scan(text: string, report: Report): void {
  const levels: Level[] = [];
  for (let at = 0; at < text.length; at++) {
    const level = levels.at(-1);
    const code = text.charCodeAt(at);
    switch (code) {
      case QUOTE: {
        const end = endOfString(text, at);
        const raw = text.slice(at + 1, end);
        if (level?.atKey) enterKey(levels, level, raw, report);
        else checkString(raw, levels, report);
        at = end;
        break;
      }
      case OPEN_OBJECT:
        levels.push({ keys: new Set(), index: 0, key: '', atKey: true });
        break;
      case OPEN_ARRAY:
        levels.push({ keys: undefined, index: 0, key: '', atKey: false });
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        levels.pop();
        break;
      case COMMA:
        if (level !== undefined) {
          level.index++;
          level.atKey = level.keys !== undefined;
        }
        break;
      case COLON:
        if (level !== undefined) level.atKey = false;
        break;
      default:
        if (code === MINUS || (code >= ZERO && code <= NINE)) at = skipNumber(text, at, levels, report);
    }
  }
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}

function enterKey(levels: readonly Level[], level: Level, raw: string, report: Report): void {
  const key = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
  level.key = key;
  if (FORBIDDEN_KEYS.has(key)) report(`the key ${key} is not allowed`, levels);
  if (level.keys?.has(key)) report(`duplicate key ${JSON.stringify(key)}`, levels);
  level.keys?.add(key);
  checkString(raw, levels, report);
}

function checkString(raw: string, levels: readonly Level[], report: Report): void {
  if (!/\\u[dD][89a-fA-F]/.test(raw)) return;
  if (!(JSON.parse(`"${raw}"`) as string).isWellFormed()) report('the text has a lone surrogate', levels);
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

function skipNumber(text: string, at: number, levels: readonly Level[], report: Report): number {
  NUMBER.lastIndex = at;
  const number = NUMBER.exec(text)?.[0] as string;
  const fault = numberFault(number);
  if (fault !== undefined) report(fault, levels);
  return at + number.length - 1;
}

function pointerOf(levels: readonly Level[]): string {
  return jsonPointer(levels.map(({ keys, key, index }) => (keys === undefined ? index : key)));
}
