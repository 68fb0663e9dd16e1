import type { z } from 'zod';
import type { StatementOut } from '../../api/statements.ts';
import { AmountSum } from '../../domain/billing/quantity.ts';
import type { Output } from '../terminal/output.ts';
import { plural } from '../terminal/text.ts';
import { amountColumns, signed } from './figures.ts';

/** Prints a table of statements, a table of their adjustments, and the total. */
export async function showStatements(
  out: Output,
  statements: readonly z.output<typeof StatementOut>[],
): Promise<void> {
  const sums = statements.map(({ adjustments }) =>
    adjustments.reduce((sum, { delta }) => sum.add(delta), new AmountSum()),
  );
  const rows = statements.map((statement, i) => ({
    ...statement,
    adjusted: (sums[i] as AmountSum).total,
  }));
  await out.table(
    [
      { title: 'ACCOUNT', cell: ({ accountId }) => accountId },
      ...amountColumns<(typeof rows)[number]>('', ({ usage }) => usage),
      ...amountColumns<(typeof rows)[number]>('ADJUSTED', ({ adjusted }) => adjusted, signed),
      ...amountColumns<(typeof rows)[number]>('TOTAL', ({ total }) => total),
    ],
    rows,
  );
  const adjustments = statements.flatMap(({ accountId, adjustments }) =>
    adjustments.map((adjustment) => ({ accountId, ...adjustment })),
  );
  if (adjustments.length > 0) {
    type Row = (typeof adjustments)[number];
    await out.line(`\n${out.style('bold', 'Adjustments of earlier periods')}`);
    await out.table<Row>(
      [
        { title: 'ACCOUNT', cell: ({ accountId }) => accountId },
        { title: 'PERIOD', cell: ({ period }) => period },
        ...amountColumns<Row>('BEFORE', ({ before }) => before),
        ...amountColumns<Row>('AFTER', ({ after }) => after),
        ...amountColumns<Row>('DELTA', ({ delta }) => delta, signed),
        { title: 'FACTS', isFigure: true, cell: ({ facts }) => facts.length },
      ],
      adjustments,
    );
  }
  const all = statements.reduce((sum, { total }) => sum.add(total), new AmountSum()).total;
  await out.line(
    `\n${plural(statements.length, 'statement')}, in total ${plural(all.billableClusters, 'cluster')} and ${all.clusterSeconds} cluster seconds`,
  );
}
