import { readFact, readInstant, UnreadableLeaf } from './billing-fact.ts';
import { Book } from './book.ts';
import type { Statement } from './book-statement.ts';
import { type Closing, whyNotComputed } from './closings.ts';
import { differenceIn } from './compare.ts';
import type { Calendar } from './completeness.ts';
import type { EvidenceFile } from './evidence-file.ts';
import type { JsonObject } from './json-value.ts';
import { monthOf } from './months.ts';
import { Refuted } from './outcome.ts';

/**
 * Checks that the statement, or the usage, follows from the facts by the billing rules.
 * @param size of the log that the facts are from.
 * @throws Refuted
 */
export function checkFigure(
  { evidence }: EvidenceFile,
  size: number,
  { closings, beginning }: Calendar,
): void {
  const { accountId, period, statement, usage } = evidence;
  const book = bookOf(evidence);
  if (beginning !== undefined) book.begin(beginning.position);
  const closing = closings.find((each) => each.period === period);
  if (usage !== undefined) {
    if (closing !== undefined)
      throw new Refuted(
        'statement',
        `${period} was closed at position ${closing.position}: it has a statement`,
      );
    requireSame('usage', usage, usageBy(book, evidence, usage, size));
    return;
  }
  if (closing === undefined)
    throw new Refuted('statement', `there is no closing of ${period}, so that it has no statement`);
  const unknown = whyNotComputed(closing);
  if (unknown !== undefined) throw new Refuted('statement', `the statement cannot be compared: ${unknown}`);
  const made = statementBy(book, accountId, closings.slice(0, closings.indexOf(closing) + 1));
  requireSame('statement', statement, made === undefined ? null : { ...made, closedAt: closing.closedAt });
}

/** The events in the order of the log, as a book is kept. */
function bookOf({ clusters }: EvidenceFile['evidence']): Book {
  const book = new Book();
  const entries = clusters.flatMap(({ clusterId, facts }) => facts.map((fact) => ({ clusterId, ...fact })));
  for (const { clusterId, index, leaf } of entries.sort((a, b) => a.index - b.index)) {
    try {
      book.add(readFact(index + 1, clusterId, leaf));
    } catch (error) {
      if (!(error instanceof UnreadableLeaf)) throw error;
      throw new Refuted(
        'statement',
        `the event at position ${index + 1} cannot be accounted for: ${error.message}`,
      );
    }
  }
  return book;
}

function statementBy(book: Book, accountId: string, closings: readonly Closing[]): Statement | undefined {
  let statement: Statement | undefined;
  for (const closing of closings) [statement] = book.close(closing, accountId);
  return statement;
}

/** The figure that there should be, of the instant and the position that the given one says it is of. */
function usageBy(
  book: Book,
  { accountId, period }: EvidenceFile['evidence'],
  { through: until, position: known }: JsonObject,
  size: number,
): object {
  const [from, end] = monthOf(period);
  const through = readInstant(until);
  const position = typeof known === 'string' && /^(0|[1-9]\d{0,14})$/.test(known) ? Number(known) : undefined;
  if (through === undefined || position === undefined || position > size) {
    const why = `usage does not say up to which instant it counts, or as known at which position of the ${size}`;
    throw new Refuted('statement', why);
  }
  const window = { from: new Date(from).toISOString(), to: new Date(end).toISOString() };
  const breakdown = book.usage(accountId, from, Math.max(from, Math.min(end, through)), position);
  return { accountId, period, window, through: until, asOf: known, position: known, ...breakdown };
}

function requireSame(name: string, given: unknown, expected: unknown): void {
  const difference = differenceIn(name, given, expected);
  if (difference !== undefined) throw new Refuted('statement', difference);
}
