import { Button, Checkbox, Popover, Stack } from '@mantine/core';
import type { RowData, Table } from '@tanstack/react-table';
import { useTranslation } from 'react-i18next';
import { Icon } from './icons.tsx';
import { textOf } from './text-of.ts';

interface ColumnMenuProps<T extends RowData> {
  readonly table: Table<T>;
  /** Keeps the ids of the chosen columns, separated by commas. */
  readonly onColumns: (ids: string) => void;
}

/** The choice of columns; open from the start, because it is loaded when it is asked for. */
export default function ColumnMenu<T extends RowData>({ table, onColumns }: ColumnMenuProps<T>) {
  const { t } = useTranslation();
  const columns = table.getAllLeafColumns();
  const visible = table.getVisibleLeafColumns();
  const choose = (id: string, isChosen: boolean) =>
    onColumns(
      columns
        .filter((column) => (column.id === id ? isChosen : column.getIsVisible()))
        .map((column) => column.id)
        .join(','),
    );
  return (
    <Popover position="bottom-end" defaultOpened trapFocus returnFocus withinPortal>
      <Popover.Target>
        <Button variant="default" size="xs" leftSection={<Icon name="columns" size={16} />}>
          {t('table.columns')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('table.columns')}>
        <Stack gap="xs">
          {columns
            .filter(({ columnDef }) => textOf(columnDef.header) !== '')
            .map((column) => (
              <Checkbox
                key={column.id}
                label={textOf(column.columnDef.header)}
                checked={column.getIsVisible()}
                disabled={column.getIsVisible() && visible.length === 1}
                onChange={({ currentTarget: { checked } }) => choose(column.id, checked)}
              />
            ))}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
