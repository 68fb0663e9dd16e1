import { Group, Text, VisuallyHidden } from '@mantine/core';
import {
  type ColumnDef,
  getCoreRowModel,
  getSortedRowModel,
  type Row,
  type RowData,
  type SortingState,
  useReactTable,
} from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from './icons.tsx';
import { TableTools } from './table-tools.tsx';
import { useUrlState } from './url-state.ts';

declare module '@tanstack/react-table' {
  interface ColumnMeta<TData extends RowData, TValue> {
    /** `right` for figures. */
    readonly align?: 'right';
    /** Returns the text of a cell for CSV; without it, the value of the column. */
    readonly csv?: (row: TData) => string;
    /** Whether the column is hidden until the viewer chooses it. */
    readonly isOptional?: boolean;
    /** Phantom use of the value type, which the interface of the package has. */
    readonly value?: TValue;
  }
}

/** Columns as TanStack Table defines them: `id`, `header` (a text), `accessorFn` or `accessorKey`, `cell`, `size`, `meta`. */
// biome-ignore lint/suspicious/noExplicitAny: the values of columns differ.
export type Columns<T> = readonly ColumnDef<T, any>[];

const ROW_HEIGHT = 44;
/** Number of rows from which on only the visible ones are in the page. */
const VIRTUAL_FROM = 60;
const OVERSCAN = 12;
/** How many rows before the end the next page is asked for. */
const AHEAD = 40;

interface DataTableProps<T extends RowData> {
  /** The name of the table for screen readers, and of the file of its export. */
  readonly label: string;
  readonly rows: readonly T[];
  readonly columns: Columns<T>;
  readonly idOf: (row: T) => string;
  /** Beginning of its parameters in the address, if the page has several tables. */
  readonly prefix?: string;
  /** Whether the server sorts: the page reads the parameter `sort` (`-` for descending) and asks for that order. */
  readonly isSortedByServer?: boolean;
  /** Order without a choice of the viewer, such as `-recordedAt`. */
  readonly initialSort?: string;
  /** Number of all rows, if `rows` has only a part. */
  readonly total?: number | undefined;
  /** Asks for the next rows. */
  readonly onEnd?: (() => void) | undefined;
  readonly isLoadingMore?: boolean;
  /** Returns all rows for the export, if `rows` has only a part. */
  readonly loadAll?: (() => Promise<readonly T[]>) | undefined;
  /** Address of the export, if the server makes it. */
  readonly csvHref?: string | undefined;
  /** Filters of the page, beside the tools of the table. */
  readonly filters?: ReactNode;
  /** Whether the table has no tools, because it is short and only explains a chart. */
  readonly isPlain?: boolean;
}

function sortingOf(sort: string | undefined): SortingState {
  if (sort === undefined || sort === '') return [];
  return [{ id: sort.replace(/^-/, ''), desc: sort.startsWith('-') }];
}

/**
 * A table: sorted, with columns that the viewer chooses, exported as CSV; the choices are in the address. Long tables keep only the
 * visible rows in the page.
 */
export function DataTable<T extends RowData>({
  label,
  rows,
  columns,
  idOf,
  prefix = '',
  isSortedByServer = false,
  initialSort,
  total,
  onEnd,
  isLoadingMore = false,
  loadAll,
  csvHref,
  filters,
  isPlain = false,
}: DataTableProps<T>) {
  const { t } = useTranslation();
  const [url, setUrl] = useUrlState();
  const sort = url[`${prefix}sort`] ?? initialSort;
  // Another array would count as another order, and the rows would be sorted again and again.
  const sorting = useMemo(() => sortingOf(sort), [sort]);
  const chosen = url[`${prefix}columns`]?.split(',');
  const visibility = Object.fromEntries(
    columns.map(({ id = '', meta }) => [id, chosen?.includes(id) ?? meta?.isOptional !== true]),
  );
  const table = useReactTable({
    data: rows as T[],
    columns: columns as ColumnDef<T>[],
    state: { sorting, columnVisibility: visibility },
    getRowId: idOf,
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
    manualSorting: isSortedByServer,
    enableSortingRemoval: false,
    // There are no pages. Without this, rows that are a new array in each rendering would be rendered without an end.
    autoResetAll: false,
    onSortingChange: (update) => {
      const [next] = typeof update === 'function' ? update(sorting) : update;
      setUrl({ [`${prefix}sort`]: next && `${next.desc ? '-' : ''}${next.id}` });
    },
  });
  const sorted = table.getRowModel().rows;
  const isVirtual = rows.length > VIRTUAL_FROM || onEnd !== undefined;
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: sorted.length,
    enabled: isVirtual,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: OVERSCAN,
  });
  const items = virtualizer.getVirtualItems();
  const lastVisible = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (lastVisible >= sorted.length - AHEAD && !isLoadingMore) onEnd?.();
  }, [lastVisible, sorted.length, isLoadingMore, onEnd]);

  const before = items[0]?.start ?? 0;
  const after = virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0);
  const shown: readonly { readonly row: Row<T>; readonly index: number }[] = isVirtual
    ? items.flatMap(({ index }) => (sorted[index] === undefined ? [] : [{ row: sorted[index], index }]))
    : sorted.map((row, index) => ({ row, index }));
  const width = table.getTotalSize();
  const columnCount = table.getVisibleLeafColumns().length;
  return (
    <div>
      {!isPlain && (
        <Group justify="space-between" align="flex-end" mb="xs" gap="xs">
          <Group gap="xs" align="flex-end">
            {filters}
          </Group>
          <TableTools
            label={label}
            table={table}
            loadAll={loadAll}
            csvHref={csvHref}
            onColumns={(ids) => setUrl({ [`${prefix}columns`]: ids })}
          />
        </Group>
      )}
      {/* biome-ignore lint/a11y/useSemanticElements: a table is not a set of fields. */}
      <div
        ref={scroller}
        role="group"
        className="table-scroll"
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
        tabIndex={0}
        style={isVirtual ? { maxHeight: '70vh' } : {}}
      >
        <table
          className="data-table"
          data-fixed={isVirtual || undefined}
          style={{ minWidth: width }}
          aria-rowcount={isVirtual ? (total ?? (onEnd === undefined ? sorted.length : -1)) : undefined}
        >
          <thead>
            <tr aria-rowindex={isVirtual ? 1 : undefined}>
              {table.getFlatHeaders().map(({ column, id, getContext }) => {
                const order = column.getIsSorted();
                const text = contentOf(column.columnDef.header, getContext());
                // Only a column with a name has a header.
                if (text === '') return <td key={id} style={{ width: column.getSize() }} />;
                return (
                  <th
                    key={id}
                    scope="col"
                    data-align={column.columnDef.meta?.align}
                    style={{ width: column.getSize() }}
                    aria-sort={order === 'asc' ? 'ascending' : order === 'desc' ? 'descending' : undefined}
                  >
                    {column.getCanSort() ? (
                      <button
                        type="button"
                        className="sort-button"
                        onClick={column.getToggleSortingHandler()}
                      >
                        {text}
                        {order !== false && <Icon name={order === 'asc' ? 'up' : 'down'} size={14} />}
                      </button>
                    ) : text === '' ? (
                      <VisuallyHidden>{t('table.actions')}</VisuallyHidden>
                    ) : (
                      text
                    )}
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody>
            {before > 0 && <Spacer height={before} columns={columnCount} />}
            {shown.map(({ row, index }) => (
              <tr key={row.id} aria-rowindex={isVirtual ? index + 2 : undefined}>
                {row.getVisibleCells().map(({ column, id, getContext }) => (
                  <td key={id} data-align={column.columnDef.meta?.align}>
                    {contentOf(column.columnDef.cell, getContext())}
                  </td>
                ))}
              </tr>
            ))}
            {after > 0 && <Spacer height={after} columns={columnCount} />}
          </tbody>
        </table>
      </div>
      {!isPlain && (
        <Text size="sm" c="dimmed" mt={6} role="status" className="figure">
          <RowCount shown={rows.length} total={total} isComplete={onEnd === undefined} />
        </Text>
      )}
    </div>
  );
}

/**
 * Returns the content of a cell. Its function is called and not rendered as a component: pages define columns anew with every change,
 * and a component of another function would replace the whole cell, with the button that has the focus.
 */
function contentOf<C>(template: ReactNode | ((context: C) => ReactNode), context: C): ReactNode {
  return typeof template === 'function' ? template(context) : template;
}

/** The place of the rows that are not in the page. */
function Spacer({ height, columns }: { readonly height: number; readonly columns: number }) {
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a row is not focusable.
    <tr className="spacer" aria-hidden="true">
      <td colSpan={columns} style={{ height }} />
    </tr>
  );
}

function RowCount({
  shown,
  total,
  isComplete,
}: {
  readonly shown: number;
  readonly total: number | undefined;
  readonly isComplete: boolean;
}) {
  const { t, i18n } = useTranslation();
  const format = new Intl.NumberFormat(i18n.language);
  if (total !== undefined && total > shown)
    return t('table.partOf', { shown: format.format(shown), total: format.format(total) });
  return isComplete
    ? t('table.rows', { count: shown, rows: format.format(shown) })
    : t('table.loadedSoFar', { shown: format.format(shown) });
}
