import { describe, expect, test } from 'vitest';
import { jsonPointer, valueAt } from '../../src/util/json-pointer.ts';

describe('jsonPointer', () => {
  test('is empty for the whole document', () => {
    expect(jsonPointer([])).toBe('');
  });

  test('escapes ~ and / in keys, as RFC 6901 says', () => {
    expect(jsonPointer(['a/b', 0, 'm~n', '~1'])).toBe('/a~1b/0/m~0n/~01');
  });
});

describe('valueAt', () => {
  const document = { list: [{ name: 'x' }], nothing: null };

  test('returns the value at a path of keys and indexes', () => {
    expect(valueAt(document, ['list', 0, 'name'])).toBe('x');
    expect(valueAt(document, [])).toBe(document);
  });

  test.each([[['list', 1, 'name']], [['nothing', 'name']], [['absent']]])(
    'returns undefined for a path that does not exist: %j',
    (path) => {
      expect(valueAt(document, path)).toBeUndefined();
    },
  );
});
