import { Button, Group, Paper, SegmentedControl, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { csvOf, saveText } from './csv.ts';
import { Icon } from './icons.tsx';
import { useUrlState } from './url-state.ts';

interface ChartCardProps {
  readonly title: string;
  /** Name of its parameter in the address, which keeps whether the table is shown. */
  readonly name: string;
  readonly chart: ReactNode;
  /** Says below the chart what its figures are. */
  readonly note?: string;
  /** The same figures as a table. */
  readonly table: ReactNode;
  /** The same figures for the export: a row of headers, and the rows. */
  readonly csv: () => readonly (readonly string[])[];
  /** Smallest height of the chart in pixels. */
  readonly height: number;
}

/** A chart with the table behind it. Both can be exported. */
export function ChartCard({ title, name, chart, note, table, csv, height }: ChartCardProps) {
  const { t } = useTranslation();
  const [url, setUrl] = useUrlState();
  const view = url[name] === 'table' ? 'table' : 'chart';
  return (
    <Paper component="section" withBorder p="md" aria-label={title}>
      <Group justify="space-between" mb="sm" gap="xs">
        <Title order={2}>{title}</Title>
        <Group gap="xs">
          <SegmentedControl
            size="xs"
            value={view}
            onChange={(chosen) => setUrl({ [name]: chosen === 'table' ? 'table' : undefined })}
            data={[
              { value: 'chart', label: t('chart.chart') },
              { value: 'table', label: t('chart.table') },
            ]}
            aria-label={t('chart.view', { title })}
          />
          <Button
            variant="default"
            size="compact-sm"
            leftSection={<Icon name="download" size={14} />}
            onClick={() => saveText(`${title}.csv`, csvOf(csv()))}
          >
            {t('table.csv')}
          </Button>
        </Group>
      </Group>
      {view === 'table' ? table : <div style={{ minHeight: height }}>{chart}</div>}
      {note !== undefined && (
        <Text size="xs" c="dimmed" mt="xs">
          {note}
        </Text>
      )}
    </Paper>
  );
}
