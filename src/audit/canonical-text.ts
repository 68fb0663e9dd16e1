import { compareCodeUnits } from '../util/compare-code-units.ts';
import { canonicalJson } from './canonical-json.ts';

type Value = Parameters<typeof canonicalJson>[0];

/** Texts of objects that have the same keys in the same order. */
interface Shape {
  /** Catches the text of each value that is no object. Of such texts only the order of members is not canonical. */
  readonly pattern: RegExp;
  /** The canonical text around the values, one more than there are values. */
  readonly parts: readonly string[];
  /** Which of the caught values stands behind each part but the last. */
  readonly order: readonly number[];
}

/** What customers write may have any keys: what is remembered of them must have an end. */
const MOST_SHAPES = 256;
const MOST_OF_A_KIND = 8;
const MOST_VALUES = 64;
const MOST_DEPTH = 8;

const shapes = new Map<string, Shape[]>();
let count = 0;

/**
 * The canonical JSON (RFC 8785) of what a JSON text stands for. Texts of a shape that was seen before are not parsed: what
 * `JSON.stringify` writes is canonical but for the order of members. Escapes, white space, fractions and the like are of no
 * shape.
 * @param kind texts of one kind are mostly of the same shape.
 * @throws SyntaxError where the text is no JSON. @throws Error as `canonicalJson` does.
 */
export function canonicalText(json: string, kind: string): string {
  const known = shapes.get(kind) ?? [];
  for (const [i, shape] of known.entries()) {
    const values = shape.pattern.exec(json);
    if (values === null) continue;
    // Often used ones come first.
    if (i > 0) [known[i - 1], known[i]] = [shape, known[i - 1] as Shape];
    return filled(shape, values);
  }
  const value: Value = JSON.parse(json);
  if (known.length < MOST_OF_A_KIND && count < MOST_SHAPES) learn(kind, known, json, value);
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
/** Up to 15 digits, which every number carries. */
const SCALAR = `(${STRING}|true|false|null|0|-?[1-9]\\d{0,14})`;

/** The shape of an object; `undefined` where it has arrays, or keys that are no plain names. */
function shapeOf(value: Value): Shape | undefined {
  let isPlain = true;
  let values = 0;
  const places = new Map<string, number>();
  const patternOf = (object: object, path: string, depth: number): string => {
    isPlain &&= !Array.isArray(object) && depth < MOST_DEPTH && values <= MOST_VALUES;
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
  if (!isPlain) return undefined;

  const order: number[] = [];
  /** The canonical text, with U+0000 where values are. */
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
