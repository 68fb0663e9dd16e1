import type { z } from 'zod';
import type { StatementOut } from '../../api/statements.ts';
import type { AmountsOut } from '../../api/usage.ts';
import { AmountSum } from '../../domain/billing/quantity.ts';
import type { Output } from '../terminal/output.ts';
import { plural } from '../terminal/text.ts';
import { hasTypes, rowsByType, type TypeRow, typeColumn } from './by-type.ts';
import { amountColumns, signed } from './figures.ts';

type Statement = z.output<typeof StatementOut>;
type Amounts = z.output<typeof AmountsOut>;

interface StatementRow extends TypeRow<Readonly<Record<'usage' | 'adjusted' | 'total', Amounts>>> {
  readonly accountId: string;
}

interface AdjustmentRow extends TypeRow<Readonly<Record<'before' | 'after' | 'delta', Amounts>>> {
  readonly accountId: string;
  readonly period: string;
  /** Number of facts that caused the adjustment of all types; absent for one type. */
  readonly facts: number | undefined;
}

/** Prints a table of statements, a table of their adjustments, and the total. */
export async function showStatements(out: Output, statements: readonly Statement[]): Promise<void> {
  const rows = statements.flatMap(statementRows);
  await out.table<StatementRow>(
    [
      { title: 'ACCOUNT', cell: ({ accountId }) => accountId },
      ...typeColumn(rows),
      ...amountColumns<StatementRow>('', ({ figures }) => figures.usage),
      ...amountColumns<StatementRow>('ADJUSTED', ({ figures }) => figures.adjusted, signed),
      ...amountColumns<StatementRow>('TOTAL', ({ figures }) => figures.total),
    ],
    rows,
  );
  const adjustments = statements.flatMap(adjustmentRows);
  if (adjustments.length > 0) {
    await out.line(`\n${out.style('bold', 'Adjustments of earlier periods')}`);
    await out.table<AdjustmentRow>(
      [
        { title: 'ACCOUNT', cell: ({ accountId }) => accountId },
        { title: 'PERIOD', cell: ({ period }) => period },
        ...typeColumn(adjustments),
        ...amountColumns<AdjustmentRow>('BEFORE', ({ figures }) => figures.before),
        ...amountColumns<AdjustmentRow>('AFTER', ({ figures }) => figures.after),
        ...amountColumns<AdjustmentRow>('DELTA', ({ figures }) => figures.delta, signed),
        { title: 'FACTS', isFigure: true, cell: ({ facts }) => facts },
      ],
      adjustments,
    );
  }
  const all = statements.reduce((sum, { total }) => sum.add(total), new AmountSum()).total;
  await out.line(
    `\n${plural(statements.length, 'statement')}, in total ${plural(all.billableClusters, 'cluster')} and ${all.clusterSeconds} cluster seconds`,
  );
}

function statementRows({ accountId, usage, byType, adjustments, total }: Statement): StatementRow[] {
  const types = total.byType.map(({ clusterType, ...ofType }) => ({
    clusterType,
    usage: byType.find((own) => own.clusterType === clusterType) ?? NONE,
    adjusted: sumOf(
      adjustments.flatMap((adjustment) => adjustment.byType.filter((own) => own.clusterType === clusterType)),
    ),
    total: ofType,
  }));
  const all = { usage, adjusted: sumOf(adjustments), total };
  return rowsByType<StatementRow['figures']>(all, types).map((row) => ({ accountId, ...row }));
}

function adjustmentRows({ accountId, adjustments, total }: Statement): AdjustmentRow[] {
  return adjustments.flatMap(({ period, facts, byType, ...all }) =>
    rowsByType<AdjustmentRow['figures']>(all, byType, hasTypes(total.byType)).map((row) => ({
      accountId,
      period,
      facts: row.clusterType === undefined ? facts.length : undefined,
      ...row,
    })),
  );
}

const NONE: Amounts = new AmountSum().total;

function sumOf(changes: readonly { readonly delta: Amounts }[]): Amounts {
  return changes.reduce((sum, { delta }) => sum.add(delta), new AmountSum()).total;
}
