import { lazy, Suspense } from 'react';
import type { DataTable } from './data-table.tsx';
import { LinesSkeleton } from './states.tsx';

const Table = lazy(async () => {
  const { DataTable: component } = await import('./data-table.tsx');
  return { default: component };
}) as unknown as typeof DataTable;

/** A table that is loaded when it is shown, for pages that begin with a chart. */
export const LazyDataTable: typeof DataTable = (props) => (
  <Suspense fallback={<LinesSkeleton />}>
    <Table {...props} />
  </Suspense>
);
