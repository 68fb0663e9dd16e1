import type { z } from 'zod';
import type { TransferPreviewOut } from '../../api/corrections.ts';
import type { Output } from '../terminal/output.ts';
import { changesByType, typeColumn } from './by-type.ts';
import { amountColumns, signed } from './figures.ts';

type Accounts = z.output<typeof TransferPreviewOut>['accounts'];

/** Returns a sentence about the figures that a correction would change. */
export function changesOf(accounts: Accounts): string {
  const changes = accounts.flatMap(({ accountId, periods }) =>
    periods.map(
      ({ period, delta }) => `${accountId} ${period}: ${signed(delta).clusterSeconds} cluster seconds`,
    ),
  );
  return changes.length === 0 ? 'No figure changes.' : `Changes: ${changes.join('; ')}.`;
}

/** Prints the figures that a correction would change, as a table. */
export async function showChanges(out: Output, accounts: Accounts): Promise<void> {
  const rows = accounts.flatMap(({ accountId: account, periods }) =>
    periods.flatMap(({ period, state, before, after }) =>
      changesByType(before, after).map((row) => ({ account, period, state, ...row })),
    ),
  );
  type Row = (typeof rows)[number];
  if (rows.length === 0) return out.line('\nno figure changes');
  await out.line();
  await out.table<Row>(
    [
      { title: 'ACCOUNT', cell: ({ account }) => account },
      { title: 'PERIOD', cell: ({ period }) => period },
      { title: 'STATE', cell: ({ state }) => state },
      ...typeColumn(rows),
      ...amountColumns<Row>('', ({ figures }) => figures.delta, signed),
    ],
    rows,
  );
}
