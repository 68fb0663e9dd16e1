import fc from 'fast-check';
import type { Schema } from '../../support/contract.ts';

/** Values of the ledger that is tortured, by the name of the property or parameter that they fit. */
export type Known = Readonly<Record<string, readonly unknown[]>>;

type Schemas = Readonly<Record<string, Schema>>;

/** Makes values that fit the schemas of the document. Values of properties that the ledger knows are often ones that exist. */
export class Arbitraries {
  readonly #schemas: Schemas;
  readonly #known: Known;
  readonly #named = new Map<string, fc.Arbitrary<unknown>>();

  constructor(schemas: Schemas, known: Known) {
    this.#schemas = schemas;
    this.#known = known;
  }

  /** @param name the name of the property or parameter that has the value */
  of(schema: Schema, name = ''): fc.Arbitrary<unknown> {
    const known = this.#known[name] ?? [];
    const any = this.#anyOf(schema, name);
    if (known.length === 0 || schema['type'] === 'array') return any;
    return fc.oneof({ arbitrary: fc.constantFrom(...known), weight: 3 }, { arbitrary: any, weight: 1 });
  }

  #anyOf(schema: Schema, name = ''): fc.Arbitrary<unknown> {
    if (typeof schema['$ref'] === 'string')
      return this.#component(schema['$ref'].split('/').at(-1) as string);
    if (Object.hasOwn(schema, 'const')) return fc.constant(schema['const']);
    if (Array.isArray(schema['enum'])) return fc.constantFrom(...schema['enum']);
    const choices = (schema['oneOf'] ?? schema['anyOf']) as Schema[] | undefined;
    if (choices !== undefined) return fc.oneof(...choices.map((choice) => this.#anyOf(choice)));
    const types = Array.isArray(schema['type']) ? schema['type'] : [schema['type']];
    return types.length === 1
      ? this.#ofType(types[0], schema, name)
      : fc.oneof(...types.map((type) => this.#ofType(type, schema, name)));
  }

  #component(name: string): fc.Arbitrary<unknown> {
    let made = this.#named.get(name);
    if (made === undefined) {
      made = this.#anyOf(this.#schemas[name] as Schema);
      this.#named.set(name, made);
    }
    return made;
  }

  #ofType(type: unknown, schema: Schema, name: string): fc.Arbitrary<unknown> {
    switch (type) {
      case 'string':
        return text(schema);
      case 'integer':
        return fc.integer({ min: Number(schema['minimum'] ?? -9), max: Number(schema['maximum'] ?? 99_999) });
      case 'number':
        return fc.integer({ min: 0, max: 1_000 }).map((thousandths) => thousandths / 1_000);
      case 'boolean':
        return fc.boolean();
      case 'null':
        return fc.constant(null);
      case 'array':
        return fc.array(this.of((schema['items'] ?? {}) as Schema, name), {
          minLength: Number(schema['minItems'] ?? 0),
          maxLength: Math.min(4, Number(schema['maxItems'] ?? 4)),
        });
      case 'object':
        return this.#object(schema);
      default:
        return fc.jsonValue({ maxDepth: 2 });
    }
  }

  #object(schema: Schema): fc.Arbitrary<unknown> {
    const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
    const required = (schema['required'] ?? []) as string[];
    const own = fc.record(
      Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, this.of(each, name)])),
      { requiredKeys: required as never[] },
    );
    const { additionalProperties: others, propertyNames, minProperties = 0 } = schema;
    const filled = own.filter((value) => Object.keys(value).length >= Number(minProperties));
    if (others === false || others === undefined) return filled;
    const keys =
      propertyNames === undefined ? fc.stringMatching(/^[a-z0-9]{1,20}$/) : text(propertyNames as Schema);
    const values =
      others === true ? fc.oneof(fc.string({ maxLength: 20 }), fc.boolean()) : this.#anyOf(others as Schema);
    return fc
      .tuple(fc.dictionary(keys, values, { maxKeys: 2, noNullPrototype: true }), filled)
      .map(([more, value]) => ({ ...more, ...value }));
  }
}

const INSTANTS = [
  '2026-01-01T00:00:00.000Z',
  '2026-01-31T23:59:59.999Z',
  '2026-02-01T00:00:00Z',
  '2026-03-01T01:00:00+01:00',
  '2026-04-15T11:59:59.123456789Z',
  '2026-04-15T12:00:00.000Z',
  '2026-05-01T00:00:00.000Z',
];

function text({ format, pattern, minLength = 0, maxLength = 30 }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time')
    return fc.constantFrom(...INSTANTS.filter((instant) => new RegExp(String(pattern ?? '')).test(instant)));
  const bounds = {
    minLength: Number(minLength),
    maxLength: Math.max(Number(minLength), Math.min(30, Number(maxLength))),
  };
  if (typeof pattern === 'string') return fc.stringMatching(new RegExp(pattern, 'u'), { maxLength: 60 });
  return fc.oneof(fc.string(bounds), fc.string({ ...bounds, unit: 'grapheme' }));
}

/** Values that fit no schema, or that programs often stumble over. */
export const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown[]>(
    null,
    true,
    -0,
    -1,
    0.1,
    1e308,
    2 ** 53,
    '',
    ' ',
    '0',
    '-1',
    '01',
    'null',
    '2026-13',
    '2026-02-30T00:00:00Z',
    '9999-12-31T23:59:59.999Z',
    '1970-01-01T00:00:00Z',
    '__proto__',
    'constructor',
    '\u0000',
    '\u2028',
    '\ud800',
    '\u{1f600}',
    '%00',
    "'; DROP TABLE events; --",
    '=1+1',
    'x'.repeat(600),
    'x'.repeat(5_000),
    [],
    {},
    [[]],
    { a: { b: [null] } },
  ),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.integer(),
  fc.jsonValue({ maxDepth: 3 }),
);
