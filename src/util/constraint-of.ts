import { valueAt } from './json-pointer.ts';

/** An issue that zod reports, as far as its words depend on it. */
interface Issue {
  readonly message: string;
  readonly code?: string | undefined;
  readonly origin?: string | undefined;
  readonly minimum?: number | bigint | undefined;
  readonly maximum?: number | bigint | undefined;
  readonly inclusive?: boolean | undefined;
  /** The issues of the key of a record. */
  readonly issues?: readonly Issue[] | undefined;
}

/** The parts of a value that has a length. */
const UNITS: Readonly<Record<string, string>> = {
  string: 'character',
  array: 'item',
  set: 'item',
  object: 'field',
};

/** Returns what is allowed, as "must be …", from an issue that zod reports. The value given is left out. */
export function constraintOf(issue: Issue): string {
  const { code, message } = issue;
  // A message of our own says more than a general one.
  if (code === 'too_small' && message.startsWith('Too small')) return bound('least', issue.minimum, issue);
  if (code === 'too_big' && message.startsWith('Too big')) return bound('most', issue.maximum, issue);
  if (code === 'invalid_union' && message === 'Invalid input') return 'must have one of the allowed forms';
  if (code === 'invalid_format' && message.startsWith('Invalid '))
    return 'must have the form that is documented';
  const [ofKey] = issue.issues ?? [];
  if (code === 'invalid_key' && ofKey !== undefined) return `has a key that ${constraintOf(ofKey)}`;
  return message
    .replace(/^Invalid (input|option): expected/, 'must be')
    .replace(/, received .*$/, '')
    .replace(/^Invalid (\w+) in record$/, 'has a $1 that is not allowed')
    .replace(/^Invalid input$/, 'is not allowed');
}

function bound(
  which: 'least' | 'most',
  limit: number | bigint | undefined,
  { origin = '', inclusive }: Issue,
): string {
  const unit = UNITS[origin];
  const count = limit?.toLocaleString('en-US') ?? '';
  if (unit === undefined)
    return inclusive === false
      ? `must be ${which === 'least' ? 'more' : 'less'} than ${count}`
      : `must be at ${which} ${count}`;
  return `must have at ${which} ${count} ${unit}${Number(limit) === 1 ? '' : 's'}`;
}

/** Returns the part of an input that an issue is about: the value at its path, or the last step of the path if that is a wrong key. */
export function faultyPart(
  { code, path }: { readonly code?: string | undefined; readonly path: readonly PropertyKey[] },
  input: unknown,
): unknown {
  return code === 'invalid_key' ? path.at(-1) : valueAt(input, path);
}
