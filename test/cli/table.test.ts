import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Table } from '../../src/cli/terminal/table.ts';
import { oneLine, widthOf } from '../../src/cli/terminal/text.ts';

describe('a table', () => {
  test('aligns the cells of every column for any text', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'grapheme-composite' }),
      fc.constantFrom('生产', '1', ''),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { minLength: 1 }), (rows) => {
        const table = new Table<readonly [string, string]>([
          { title: 'A', cell: ([a]) => a },
          { title: 'B', isFigure: true, cell: ([, b]) => b },
          { title: 'END', cell: () => '.' },
        ]);
        const lines = [...table.lines(rows), table.head.replace(/END$/, '.')];
        expect(new Set(lines.map(widthOf)).size).toBe(1);
        for (const line of lines) expect(line.endsWith('  .')).toBe(true);
      }),
    );
  });

  test('widens its columns for rows of a later batch', () => {
    const table = new Table<string>([{ title: 'A', isFigure: true, cell: (text) => text }]);
    expect(table.lines(['1'])).toEqual(['1']);
    expect(table.lines(['200', '1'])).toEqual(['200', '  1']);
  });
});

test('oneLine escapes every character that could control a terminal', () => {
  expect(oneLine('a\u001b]0;x\u0007\n\u202eb')).toBe('a\\u{1b}]0;x\\u{7}\\u{a}\\u{202e}b');
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      (text) => !/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(oneLine(text)),
    ),
  );
});
