import { describe, expect, test } from 'vitest';
import { Book } from '../../../src/audit/verify/book.ts';
import { monthOf } from '../../../src/audit/verify/months.ts';
import { changed, day, deleted, factsOf, registered, type Stated, stopped, voided } from './billing-facts.ts';

function bookOf(...facts: readonly Stated[]): Book {
  const book = new Book();
  for (const fact of factsOf(...facts)) book.add(fact);
  return book;
}

/** The account and the seconds of each statement, and the period, the seconds and the causes of each adjustment. */
const close = (book: Book, period: string, watermark: number, only?: string) =>
  book
    .close({ period, watermark }, only)
    .map(({ accountId, usage, adjustments }) => [
      accountId,
      usage.clusterSeconds,
      ...adjustments.map((line) => [line.period, line.delta.clusterSeconds, ...line.facts]),
    ]);

const DAY = 86_400;
const seconds = (days: number) => `${days * DAY}.000`;
const c2 = { clusterId: 'c2' };

describe('the statements of a book', () => {
  test('are of all accounts that were billed, in order, or of one', () => {
    const facts = [
      registered(day('2026-01-31'), { accountId: 'globex' }),
      registered(day('2026-01-30'), c2),
      registered(day('2026-02-01'), { clusterId: 'c3', accountId: 'initech' }),
    ] as const;
    expect(close(bookOf(...facts), '2026-01', 3)).toEqual([
      ['acme', seconds(2)],
      ['globex', seconds(1)],
    ]);
    expect(close(bookOf(...facts), '2026-01', 3, 'globex')).toEqual([['globex', seconds(1)]]);
    expect(close(bookOf(...facts), '2026-01', 3, 'nobody')).toEqual([]);
  });

  test('know nothing after their watermark, and adjust it at the next', () => {
    const book = bookOf(registered(day('2026-01-30')), deleted(day('2026-01-31')));
    expect(close(book, '2026-01', 1)).toEqual([['acme', seconds(2)]]);
    expect(close(book, '2026-02', 2)).toEqual([['acme', '0.000', ['2026-01', `-${seconds(1)}`, 'e2']]]);
    expect(close(book, '2026-03', 2)).toEqual([]);
  });

  test('adjust each earlier period by the facts that are effective before its end', () => {
    const book = bookOf(
      registered(day('2026-01-30')),
      registered(day('2026-01-31'), c2),
      stopped(day('2026-03-01'), c2),
      deleted(day('2026-02-02')),
    );
    expect(close(book, '2026-01', 1)).toEqual([['acme', seconds(2)]]);
    expect(close(book, '2026-02', 1)).toEqual([['acme', seconds(28)]]);
    expect(close(book, '2026-03', 4)).toEqual([
      ['acme', '0.000', ['2026-01', seconds(1), 'e2'], ['2026-02', seconds(28 - 27), 'e2', 'e4']],
    ]);
  });

  test('name the causes in the order of the log, also of several clusters', () => {
    const book = bookOf(
      registered(day('2026-01-01')),
      registered(day('2026-01-01'), c2),
      deleted(day('2026-01-10'), c2),
      deleted(day('2026-01-10')),
    );
    close(book, '2026-01', 2);
    expect(close(book, '2026-02', 4)).toEqual([
      ['acme', '0.000', ['2026-01', `-${seconds(44)}`, 'e3', 'e4']],
    ]);
  });

  test('adjust both accounts after a late transfer, and no other', () => {
    const book = bookOf(
      registered(day('2026-01-30')),
      registered(day('2026-01-30'), { ...c2, accountId: 'initech' }),
      changed(day('2026-01-31'), { accountId: 'globex' }),
    );
    close(book, '2026-01', 2);
    expect(close(book, '2026-02', 3)).toEqual([
      ['acme', '0.000', ['2026-01', `-${seconds(1)}`, 'e3']],
      ['globex', seconds(28), ['2026-01', seconds(1), 'e3']],
      ['initech', seconds(28)],
    ]);
  });

  test('do not name a fact of a cluster that is billed as before', () => {
    const book = bookOf(
      registered(day('2026-01-30')),
      registered(day('2026-01-29')),
      changed(day('2026-01-30'), { ...c2, accountId: 'acme' }),
    );
    close(book, '2026-01', 1);
    expect(close(book, '2026-02', 3)).toEqual([['acme', seconds(28), ['2026-01', seconds(1), 'e2']]]);
  });

  test('name for a period only the facts of clusters that are billed differently in it', () => {
    const book = bookOf(
      registered(day('2026-01-30')),
      registered(day('2026-02-05'), c2),
      registered(day('2026-01-29')),
      stopped(day('2026-01-10'), c2),
    );
    close(book, '2026-01', 2);
    close(book, '2026-02', 2);
    expect(close(book, '2026-03', 4)).toEqual([
      ['acme', seconds(31), ['2026-01', seconds(1), 'e3'], ['2026-02', `-${seconds(24)}`, 'e4']],
    ]);
  });

  test('name the void of a fact that counted', () => {
    const book = bookOf(registered(day('2026-01-30')), stopped(day('2026-01-31')), voided('e2'));
    close(book, '2026-01', 2);
    expect(close(book, '2026-02', 3)).toEqual([['acme', seconds(28), ['2026-01', seconds(1), 'e3']]]);
  });

  test('take account of a fact at its watermark although later ones of the cluster follow', () => {
    const book = bookOf(
      registered(day('2026-01-30')),
      stopped(day('2026-02-02')),
      deleted(day('2026-01-31')),
      deleted(day('2026-01-30')),
    );
    expect(close(book, '2026-01', 1)).toEqual([['acme', seconds(2)]]);
    expect(close(book, '2026-02', 2)).toEqual([['acme', seconds(1)]]);
    expect(close(book, '2026-03', 3)).toEqual([
      ['acme', '0.000', ['2026-01', `-${seconds(1)}`, 'e3'], ['2026-02', `-${seconds(1)}`, 'e3']],
    ]);
    expect(close(book, '2026-04', 4)).toEqual([['acme', '0.000', ['2026-01', `-${seconds(1)}`, 'e4']]]);
  });

  test('have no adjustment of a period whose usage is the same, although other clusters make it up', () => {
    const at = day('2026-01-30');
    const book = bookOf(registered(at), voided('e1'), registered(at, c2));
    expect(close(book, '2026-01', 1)).toEqual([['acme', seconds(2)]]);
    expect(close(book, '2026-02', 3)).toEqual([['acme', seconds(28)]]);
  });

  test('are not changed by facts that billing does not read', () => {
    const book = bookOf(registered(day('2026-01-31')), {
      type: 'other',
      at: 0,
      clusterId: 'c9',
      accountId: 'x',
    });
    expect(close(book, '2026-01', 2)).toEqual([['acme', seconds(1)]]);
    expect(book.usage('x', ...monthOf('2026-01'), 2).usage.billableClusters).toBe(0);
  });
});

describe('the months before the first closed period', () => {
  const late = () => bookOf(registered(day('2026-01-31')), registered(day('2025-11-30'), c2));

  test('are adjusted if no beginning is known', () => {
    const book = late();
    expect(close(book, '2026-01', 1)).toEqual([['acme', seconds(1)]]);
    expect(close(book, '2026-02', 2)).toEqual([
      [
        'acme',
        seconds(56),
        ['2025-11', seconds(1), 'e2'],
        ['2025-12', seconds(31), 'e2'],
        ['2026-01', seconds(31), 'e2'],
      ],
    ]);
  });

  test('are adjusted where they were billed before and are no longer', () => {
    const book = bookOf(registered(day('2026-01-31')), registered(day('2025-12-31')), voided('e2'));
    close(book, '2026-01', 1);
    expect(close(book, '2026-02', 2)).toEqual([
      ['acme', seconds(28), ['2025-12', seconds(1), 'e2'], ['2026-01', seconds(30), 'e2']],
    ]);
    expect(close(book, '2026-03', 3)).toEqual([
      ['acme', seconds(31), ['2025-12', `-${seconds(1)}`, 'e3'], ['2026-01', `-${seconds(30)}`, 'e3']],
    ]);
  });

  test.each([
    [0, 1],
    [2, 1],
    [3, 3],
  ])('are adjusted (%i) only while the beginning is not known', (position, lines) => {
    const book = late();
    book.begin(position);
    close(book, '2026-01', 1);
    const [, , ...adjustments] = close(book, '2026-02', 2)[0] ?? [];
    expect(adjustments).toHaveLength(lines);
  });

  test('are not on the first statement', () => {
    expect(close(late(), '2026-01', 2)).toEqual([['acme', seconds(32)]]);
  });
});

describe('the usage of an account', () => {
  const [from, to] = monthOf('2026-01');
  const book = bookOf(registered(day('2026-01-30')), changed(day('2026-01-31'), { accountId: 'globex' }));
  const secondsOf = (accountId: string, position: number) =>
    book.usage(accountId, from, to, position).usage.clusterSeconds;

  test('is that of its own time of a cluster, as known at a position', () => {
    expect(secondsOf('acme', 0)).toBe('0.000');
    expect(secondsOf('acme', 1)).toBe(seconds(2));
    expect(secondsOf('acme', 2)).toBe(seconds(1));
    expect(secondsOf('globex', 1)).toBe('0.000');
    expect(secondsOf('globex', 2)).toBe(seconds(1));
  });

  test('is nothing for an account that no fact names', () => {
    expect(secondsOf('nobody', 2)).toBe('0.000');
  });
});
