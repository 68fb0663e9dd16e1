import { Button } from '@mantine/core';
import type { RowData, Table } from '@tanstack/react-table';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { csvOf, saveText } from './csv.ts';
import { Icon } from './icons.tsx';
import { textOf } from './text-of.ts';

// Brings the library of floating elements.
const ColumnMenu = lazy(() => import('./column-menu.tsx'));

interface TableToolsProps<T extends RowData> {
  readonly label: string;
  readonly table: Table<T>;
  readonly loadAll: (() => Promise<readonly T[]>) | undefined;
  readonly csvHref: string | undefined;
  /** Keeps the ids of the chosen columns, separated by commas. */
  readonly onColumns: (ids: string) => void;
}

/** The choice of columns, and the export of a table. */
export function TableTools<T extends RowData>({
  label,
  table,
  loadAll,
  csvHref,
  onColumns,
}: TableToolsProps<T>) {
  const { t } = useTranslation();
  const [isBusy, setBusy] = useState(false);
  const [isChoosing, setChoosing] = useState(false);
  const visible = table.getVisibleLeafColumns();

  const save = async () => {
    setBusy(true);
    try {
      const rows = (await loadAll?.()) ?? table.getRowModel().rows.map(({ original }) => original);
      const withText = visible.filter(({ columnDef }) => textOf(columnDef.header) !== '');
      const lines = rows.map((row, i) =>
        withText.map(
          ({ columnDef, accessorFn }) => columnDef.meta?.csv?.(row) ?? textOf(accessorFn?.(row, i)),
        ),
      );
      saveText(`${label}.csv`, csvOf([withText.map(({ columnDef }) => textOf(columnDef.header)), ...lines]));
    } finally {
      setBusy(false);
    }
  };
  const button = (
    <Button
      variant="default"
      size="xs"
      leftSection={<Icon name="columns" size={16} />}
      onClick={() => setChoosing(true)}
      aria-haspopup="menu"
    >
      {t('table.columns')}
    </Button>
  );
  const icon = <Icon name="download" size={16} />;
  return (
    <Button.Group>
      {isChoosing ? (
        <Suspense fallback={button}>
          <ColumnMenu table={table as Table<unknown>} onColumns={onColumns} />
        </Suspense>
      ) : (
        button
      )}
      {csvHref === undefined ? (
        <Button variant="default" size="xs" leftSection={icon} loading={isBusy} onClick={() => void save()}>
          {t('table.csv')}
        </Button>
      ) : (
        <Button component="a" href={csvHref} download variant="default" size="xs" leftSection={icon}>
          {t('table.csv')}
        </Button>
      )}
    </Button.Group>
  );
}
