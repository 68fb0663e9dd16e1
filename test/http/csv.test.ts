import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvRow, secondsCells } from '../../src/util/csv.ts';

const FORMULA = /^["\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]*[=+\-@＝＋－＠]/u;

/** The cells of a line as a spreadsheet reads it that separates cells by `separator`: quotes count at the start of a cell. */
function cellsOf(line: string, separator: string): string[] {
  const cells: string[] = [];
  for (let rest = line; ; ) {
    const quoted = /^"((?:[^"]|"")*)"/.exec(rest);
    const end = rest.indexOf(separator, quoted === null ? 0 : quoted[0].length);
    const cell = end === -1 ? rest : rest.slice(0, end);
    cells.push(cell.replace(/^"((?:[^"]|"")*)"/, (_, text: string) => text.replaceAll('""', '"')));
    if (end === -1) return cells;
    rest = rest.slice(end + 1);
  }
}

const isGuarded = (cell: string) => /^"*'/.test(cell) || !FORMULA.test(cell) || /^-?\d+(\.\d+)?$/.test(cell);

describe('a cell of text', () => {
  test.each([
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['＝1', "'＝1"],
    ['＋1', "'＋1"],
    ['－1', "'－1"],
    ['＠a', "'＠a"],
    [' =1', "' =1"],
    ['\u200b=1', "'\u200b=1"],
    ['\ufeff=1', "'\ufeff=1"],
    ['\u00ad=1', "'\u00ad=1"],
    ['a;=1', `"a;'=1"`],
    ['a;"=1', `"a;'""=1"`],
    ['a, -1', `"a,' -1"`],
    ['a|=1', `"a|'=1"`],
    ['\ta', `"'\ta"`],
    ['a=b', 'a=b'],
    ['c-1', 'c-1'],
    ['a;b', '"a;b"'],
    ['é, "ü"', '"é, ""ü"""'],
  ])('%j is written as %j', (text, written) => {
    expect(csvRow([text])).toBe(`${written}\r\n`);
  });

  test('is never taken for a formula, whatever separates the cells', () => {
    const nasty = fc.string({
      unit: fc.constantFrom(...'=+-@＝＋－＠;,|\t\r\n"\' a1\u200b\u00ad\ufeff\u3000'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(nasty, nasty, (first, second) => {
        const row = csvRow([first, { number: '-1.5' }, second, 'end']).slice(0, -2);
        const texts = cellsOf(row, ',');
        expect(texts).toHaveLength(4);
        for (const separator of [';', '\t', '|', ','])
          for (const line of separator === ',' ? [row] : row.split(/[\r\n]/))
            for (const cell of cellsOf(line, separator))
              expect(isGuarded(cell), `${JSON.stringify(row)} has ${JSON.stringify(cell)}`).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

test('seconds have no fraction if they are whole, and milliseconds are an integer', () => {
  const written = ['0.000', '864000.000', '0.001', '-777600.000', '-0.500', '9007199254740993.120'];
  expect(written.map((seconds) => csvRow(secondsCells(seconds)).trimEnd())).toEqual([
    '0,0',
    '864000,864000000',
    '0.001,1',
    '-777600,-777600000',
    '-0.500,-500',
    '9007199254740993.120,9007199254740993120',
  ]);
});
