import { Refuted } from './outcome.ts';

/**
 * Checks that a value which somebody else wrote has the form it must have. Stops at the first thing that does not: a list of
 * all that is wrong with a hostile file would itself fill the memory.
 */
export type Shape = (path: string, value: unknown) => void;

function requireThat(holds: boolean, path: string, what: string): asserts holds {
  if (!holds) throw new Refuted('format', `${path === '' ? 'the file' : path}: must be ${what}`);
}

/** A string that `holds`; by default any. @param what it must be, in words. */
export function text(what = 'text', holds: (value: string) => boolean = () => true): Shape {
  return (path, value) => requireThat(typeof value === 'string' && holds(value), path, what);
}

/** A whole number from 0 on. */
export const count: Shape = (path, value) =>
  requireThat(Number.isSafeInteger(value) && (value as number) >= 0, path, 'a whole number from 0');

/** An object with whatever members. */
export const anyObject: Shape = (path, value) => requireThat(isObject(value), path, 'an object');

export function orNull(shape: Shape): Shape {
  return (path, value) => {
    if (value !== null) shape(path, value);
  };
}

/** A list of at least `least` and at most `most`. */
export function list(of: Shape, least = 0, most = Number.POSITIVE_INFINITY): Shape {
  return (path, value) => {
    requireThat(Array.isArray(value), path, 'a list');
    const size = value.length;
    const limits = most === Number.POSITIVE_INFINITY ? `of at least ${least}` : `of ${least} to ${most}`;
    requireThat(size >= least && size <= most, path, `a list ${limits}; it has ${size}`);
    for (let i = 0; i < size; i++) of(`${path}[${i}]`, value[i]);
  };
}

/** An object with these members, those of `optional` if it likes, and no others. */
export function object(required: Record<string, Shape>, optional: Record<string, Shape> = {}): Shape {
  const members = new Map([...Object.entries(required), ...Object.entries(optional)]);
  const names = Object.keys(required);
  return (path, value) => {
    requireThat(isObject(value), path, 'an object');
    for (const name of names)
      requireThat(Object.hasOwn(value, name), path, `an object with the member ${JSON.stringify(name)}`);
    for (const name of Object.keys(value)) {
      const shape = members.get(name);
      requireThat(shape !== undefined, path, `an object without a member ${JSON.stringify(name)}`);
      shape(path === '' ? name : `${path}.${name}`, value[name]);
    }
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
