import type { Json, JsonObject } from './json-value.ts';

/** Returns a sentence about the first member in which a value differs from the expected one; `undefined` if they are equal. */
export function differenceIn(name: string, given: unknown, expected: unknown): string | undefined {
  if (isContainer(given) && isContainer(expected) && Array.isArray(given) === Array.isArray(expected)) {
    const isList = Array.isArray(expected);
    for (const key of new Set([...Object.keys(expected), ...Object.keys(given)])) {
      const path = isList ? `${name}[${key}]` : `${name}.${key}`;
      const difference = differenceIn(path, own(given, key), own(expected, key));
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  return given === expected ? undefined : `${name} is ${shown(given)}; by the facts it is ${shown(expected)}`;
}

function own(value: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function isContainer(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null;
}

function shown(value: unknown): string {
  const text = value === undefined ? 'not there' : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
