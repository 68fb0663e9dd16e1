import { isUtf8 } from 'node:buffer';
import { jsonPointer } from '../../util/json-pointer.ts';

/** An error in JSON text, with an RFC 6901 pointer to the invalid value. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
  readonly pointer: string;

  constructor(message: string, pointer = '') {
    super(message);
    this.pointer = pointer;
  }
}

const MAX_DEPTH = 32;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

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

/**
 * Parses JSON (RFC 8259) and rejects everything that `JSON.parse` would silently change or drop: bytes that are not UTF-8,
 * duplicate keys, `__proto__`, integers that a double cannot represent, lone surrogates, and nesting deeper than 32.
 * @throws JsonError
 */
export function parseStrictJson(bytes: Buffer): unknown {
  const text = decode(bytes);
  const value = parse(text);
  scan(text);
  return value;
}

function decode(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new JsonError('the body is not valid UTF-8');
  return bytes.toString('utf8');
}

function parse(text: string): unknown {
  if (text.trim() === '') throw new JsonError('the body is empty; it must be JSON');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new JsonError(`the body is not valid JSON: ${(error as Error).message}`);
  }
}

/** Checks a text that is known to be valid JSON. @throws JsonError */
function scan(text: string): void {
  const levels: Level[] = [];
  for (let at = 0; at < text.length; at++) {
    const level = levels.at(-1);
    const code = text.charCodeAt(at);
    switch (code) {
      case QUOTE: {
        const end = endOfString(text, at);
        const raw = text.slice(at + 1, end);
        if (level?.atKey) enterKey(levels, level, raw);
        else checkString(raw, levels);
        at = end;
        break;
      }
      case OPEN_OBJECT:
        levels.push({ keys: new Set(), index: 0, key: '', atKey: true });
        checkDepth(levels);
        break;
      case OPEN_ARRAY:
        levels.push({ keys: undefined, index: 0, key: '', atKey: false });
        checkDepth(levels);
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
        if (code === MINUS || (code >= ZERO && code <= NINE)) at = skipNumber(text, at, levels);
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

function enterKey(levels: readonly Level[], level: Level, raw: string): void {
  const key = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
  level.key = key;
  if (FORBIDDEN_KEYS.has(key)) throw new JsonError(`the key ${key} is not allowed`, pointerOf(levels));
  if (level.keys?.has(key)) throw new JsonError(`duplicate key ${JSON.stringify(key)}`, pointerOf(levels));
  level.keys?.add(key);
  checkString(raw, levels);
}

function checkString(raw: string, levels: readonly Level[]): void {
  if (!/\\u[dD][89a-fA-F]/.test(raw)) return;
  if (!(JSON.parse(`"${raw}"`) as string).isWellFormed()) {
    throw new JsonError('the text has a lone surrogate', pointerOf(levels));
  }
}

function checkDepth(levels: readonly Level[]): void {
  if (levels.length > MAX_DEPTH)
    throw new JsonError(`the JSON is nested deeper than ${MAX_DEPTH}`, pointerOf(levels));
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

function skipNumber(text: string, at: number, levels: readonly Level[]): number {
  NUMBER.lastIndex = at;
  const number = NUMBER.exec(text)?.[0] as string;
  if (/^-?\d{16,}$/.test(number) && !Number.isSafeInteger(Number(number))) {
    throw new JsonError(`${number} is larger than a JSON number can hold exactly`, pointerOf(levels));
  }
  return at + number.length - 1;
}

function pointerOf(levels: readonly Level[]): string {
  return jsonPointer(levels.map(({ keys, key, index }) => (keys === undefined ? index : key)));
}
