import { expect, test } from 'vitest';
import { count } from './count.ts';

const mutant = (status: string, replacement: string) => ({
  status,
  mutatorName: 'ConditionalExpression',
  replacement,
  location: { start: { line: 7, column: 3 } },
});

test('a mutant that no test runs counts as one that no test notices, and one that cannot run does not count', () => {
  const mutants = [
    mutant('Killed', 'false'),
    mutant('Timeout', 'true'),
    mutant('Survived', '  a\n  b'),
    mutant('NoCoverage', '{}'),
    mutant('RuntimeError', ';'),
    mutant('Ignored', ''),
  ];
  expect(count({ files: { 'src/domain/rule.ts': { mutants } } })).toEqual({
    mutants: 4,
    noticed: 2,
    score: 0.5,
    survivors: [
      'src/domain/rule.ts:7:3 Survived ConditionalExpression:  a b',
      'src/domain/rule.ts:7:3 NoCoverage ConditionalExpression: {}',
    ],
  });
});

test('a room without mutants has noticed none', () => {
  expect(count({ files: {} })).toMatchObject({ mutants: 0, score: 0 });
});
