import { Button, Checkbox, Menu, Stack } from '@mantine/core';
import type { RowData, Table } from '@tanstack/react-table';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { csvOf, saveText } from './csv.ts';
import { Icon } from './icons.tsx';

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
  const columns = table.getAllLeafColumns();
  const visible = columns.filter((column) => column.getIsVisible());

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
  const icon = <Icon name="download" size={16} />;
  return (
    <Button.Group>
      <Menu position="bottom-end" closeOnItemClick={false}>
        <Menu.Target>
          <Button variant="default" size="xs" leftSection={<Icon name="columns" size={16} />}>
            {t('table.columns')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown p="sm">
          <Stack gap="xs">
            {columns
              .filter(({ columnDef }) => textOf(columnDef.header) !== '')
              .map((column) => (
                <Checkbox
                  key={column.id}
                  label={textOf(column.columnDef.header)}
                  checked={column.getIsVisible()}
                  disabled={column.getIsVisible() && visible.length === 1}
                  onChange={({ currentTarget: { checked } }) =>
                    onColumns(
                      columns
                        .filter((other) => (other.id === column.id ? checked : other.getIsVisible()))
                        .map(({ id }) => id)
                        .join(','),
                    )
                  }
                />
              ))}
          </Stack>
        </Menu.Dropdown>
      </Menu>
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

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    ? String(value)
    : '';
}
