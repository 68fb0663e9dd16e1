import { compareCodeUnits } from '../util/compare-code-units.ts';
import { canonicalJson } from './canonical-json.ts';

type Value = Parameters<typeof canonicalJson>[0];

/** Pattern of JSON texts of objects that have the same keys in the same order. */
interface Shape {
  /** Captures the text of each value that is not an object. In matching texts only the order of the members is not canonical. */
  readonly pattern: RegExp;
  /** Canonical text before, between and after the values. */
  readonly parts: readonly string[];
  /** Index of the captured value after each part except the last. */
  readonly order: readonly number[];
}

/** Limits of the memory for shapes. Customers choose keys too, so there may be any number of shapes. */
const MAX_SHAPES = 256;
const MAX_SHAPES_PER_KIND = 8;
const MAX_VALUES = 64;
const MAX_DEPTH = 8;

const shapes = new Map<string, Shape[]>();
let count = 0;

/**
 * Returns the canonical JSON (RFC 8785) of a JSON text. A text of a known shape is not parsed: its values are copied in
 * canonical order, since the output of `JSON.stringify` is canonical except for the order of the members. Texts with escapes,
 * white space or fractions match no shape and are parsed.
 * @param kind texts of one kind mostly have the same shape.
 * @throws SyntaxError if the text is not JSON. @throws Error as `canonicalJson` does.
 */
export function canonicalText(json: string, kind: string): string {
  const known = shapes.get(kind) ?? [];
  for (const [i, shape] of known.entries()) {
    const values = shape.pattern.exec(json);
    if (values === null) continue;
    // Moves frequent shapes to the front.
    if (i > 0) [known[i - 1], known[i]] = [shape, known[i - 1] as Shape];
    return filled(shape, values);
  }
  const value: Value = JSON.parse(json);
  if (known.length < MAX_SHAPES_PER_KIND && count < MAX_SHAPES) learn(kind, known, json, value);
  return canonicalJson(value);
}

function filled({ parts, order }: Shape, values: RegExpExecArray): string {
  let text = parts[0] as string;
  for (let i = 0; i < order.length; i++)
    text += (values[order[i] as number] as string) + (parts[i + 1] as string);
  return text;
}

function learn(kind: string, known: Shape[], json: string, value: Value): void {
  const shape = shapeOf(value);
  if (shape?.pattern.test(json) !== true) return;
  known.push(shape);
  shapes.set(kind, known);
  count++;
}

const NAME = /^\w+$/;
const STRING = String.raw`"[^"\\\x00-\x1f\ud800-\udfff]*"`;
/** Integers of up to 15 digits, which a number represents exactly, and other scalars. */
const SCALAR = `(${STRING}|true|false|null|0|-?[1-9]\\d{0,14})`;

/** Returns the shape of an object, or `undefined` if it has arrays or keys that are not plain names. */
function shapeOf(value: Value): Shape | undefined {
  let isPlain = true;
  let values = 0;
  const places = new Map<string, number>();
  const patternOf = (object: object, path: string, depth: number): string => {
    isPlain &&= !Array.isArray(object) && depth < MAX_DEPTH;
    if (!isPlain) return '';
    const members = Object.entries(object).map(([key, member]) => {
      isPlain &&= NAME.test(key);
      const at = `${path} ${key}`;
      if (isObject(member)) return `"${key}":${patternOf(member, at, depth + 1)}`;
      places.set(at, ++values);
      return `"${key}":${SCALAR}`;
    });
    return `\\{${members.join(',')}\\}`;
  };
  if (!isObject(value)) return undefined;
  const source = patternOf(value, '', 0);
  if (!isPlain || values > MAX_VALUES) return undefined;

  const order: number[] = [];
  /** Returns the canonical text with U+0000 in place of each value. */
  const textOf = (object: object, path: string): string => {
    const members = Object.entries(object).toSorted(([a], [b]) => compareCodeUnits(a, b));
    const texts = members.map(([key, member]) => {
      const at = `${path} ${key}`;
      if (isObject(member)) return `"${key}":${textOf(member, at)}`;
      order.push(places.get(at) as number);
      return `"${key}":\0`;
    });
    return `{${texts.join(',')}}`;
  };
  return { parts: textOf(value, '').split('\0'), order, pattern: new RegExp(`^${source}$`) };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
