import { describe, expect, test } from 'vitest';
import { rememberingQueries } from '../../src/http/server/known-queries.ts';

/** A validator that accepts every query but one without a name, and notes the queries that it has seen. */
function validator() {
  const seen: unknown[] = [];
  const validate = rememberingQueries((query) => {
    seen.push(query);
    const { name } = query as { readonly name?: string };
    return name === undefined ? { error: new Error('a name is missing') } : { value: { name, limit: 100 } };
  });
  return { seen, validate };
}

describe('the query of a request', () => {
  test('is validated once if it is sent again', () => {
    const { seen, validate } = validator();
    for (const name of ['a', 'b', 'a', 'a'])
      expect(validate({ name })).toEqual({ value: { name, limit: 100 } });
    expect(seen).toEqual([{ name: 'a' }, { name: 'b' }]);
  });

  test('is validated again after an error, so that each error is of its own request', () => {
    const { seen, validate } = validator();
    expect([validate({}), validate({})]).toEqual([
      { error: expect.any(Error) },
      { error: expect.any(Error) },
    ]);
    expect(seen).toHaveLength(2);
  });

  test('is validated again if it is long, or after 64 others', () => {
    const { seen, validate } = validator();
    const long = 'x'.repeat(300);
    for (const name of [long, long, 'first']) validate({ name });
    for (let i = 0; i < 64; i++) validate({ name: `other-${i}` });
    validate({ name: 'first' });
    expect(
      seen.map((query) => (query as { name: string }).name).filter((name) => !name.startsWith('other')),
    ).toEqual([long, long, 'first', 'first']);
  });

  test('is the same for all requests that send it, so it cannot be changed', () => {
    const { validate } = validator();
    const { value } = validate({ name: 'a' }) as { value: { limit: number } };
    expect(() => {
      value.limit = 1;
    }).toThrow(TypeError);
  });
});
