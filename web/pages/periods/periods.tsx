import { Button, Group, Stack, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMayCall } from '../../data/caller.ts';
import { beginningQuery, type Period, periodsQuery } from '../../data/periods.ts';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { BilledTime, Count, millisecondsOf } from '../../ui/figures.tsx';
import { Icon } from '../../ui/icons.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { Empty, LinesSkeleton, Loaded } from '../../ui/states.tsx';
import { Instant } from '../../ui/times.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { Beginning } from './beginning.tsx';
import { CloseDialog } from './close-dialog.tsx';
import { ClosingPreview } from './closing-preview.tsx';
import { NextToClose } from './next-to-close.tsx';
import { PendingAdjustments } from './pending-adjustments.tsx';
import { Statements } from './statements.tsx';
import './periods.css';

const STATE_ICONS = { open: 'pending', due: 'warning', closed: 'good' } as const;

/** The periods: where statements begin, what is due, what closing would do, and the statements of closed ones. */
export default function PeriodsPage() {
  const { t } = useTranslation('periods');
  const mayCall = useMayCall();
  const [url, setUrl] = useUrlState();
  const [closing, setClosing] = useState<Period>();
  const query = useQuery(periodsQuery);
  const { isPending: isBeginningPending } = useQuery(beginningQuery);
  const show = (view: string, period: string) => setUrl({ view, period });
  const hide = () => setUrl({ view: undefined, period: undefined });
  return (
    <>
      <PageHeader title={t('title')} lead={t('lead')} />
      <Loaded query={query}>
        {(periods) => {
          // Otherwise what is below would move when the beginning is known.
          if (isBeginningPending) return <LinesSkeleton />;
          const next = periods.find(({ state }) => state !== 'closed');
          const chosen = periods.find(({ period }) => period === url.period);
          return (
            <Stack gap="xl">
              {next !== undefined && (
                <NextToClose
                  period={next}
                  onPreview={() => show('preview', next.period)}
                  onClose={() => setClosing(next)}
                />
              )}
              <Beginning periods={periods} />
              {chosen !== undefined && url.view === 'preview' && mayCall('closePeriod') && (
                <ClosingPreview period={chosen} onHide={hide} onClose={() => setClosing(chosen)} />
              )}
              {chosen !== undefined && url.view === 'statements' && (
                <Statements period={chosen.period} onHide={hide} />
              )}
              <PendingAdjustments />
              <section aria-labelledby="all-periods">
                <Title order={2} id="all-periods" mb="xs">
                  {t('all')}
                </Title>
                {periods.length === 0 ? (
                  <Empty title={t('empty')}>{t('emptyDetail')}</Empty>
                ) : (
                  <PeriodTable periods={periods} nextPeriod={next?.period} onShow={show} />
                )}
              </section>
            </Stack>
          );
        }}
      </Loaded>
      {closing !== undefined && (
        <CloseDialog
          period={closing}
          onDone={(period) => {
            setClosing(undefined);
            show('statements', period);
          }}
          onCancel={() => setClosing(undefined)}
        />
      )}
    </>
  );
}

interface PeriodTableProps {
  readonly periods: readonly Period[];
  readonly nextPeriod: string | undefined;
  readonly onShow: (view: string, period: string) => void;
}

function PeriodTable({ periods, nextPeriod, onShow }: PeriodTableProps) {
  const { t } = useTranslation('periods');
  const mayCall = useMayCall();
  const columns: Columns<Period> = [
    { id: 'period', header: t('column.period'), accessorKey: 'period', size: 110 },
    {
      id: 'state',
      header: t('column.state'),
      accessorFn: ({ state }) => t(`state.${state}`),
      size: 100,
      cell: ({ row: { original } }) => (
        <span className="period-state" data-state={original.state}>
          <Icon name={STATE_ICONS[original.state]} size={16} />
          {t(`state.${original.state}`)}
        </span>
      ),
    },
    {
      id: 'actions',
      header: '',
      enableSorting: false,
      size: 130,
      cell: ({ row: { original } }) => (
        <Group gap="xs" justify="flex-start">
          {original.state === 'closed' && (
            <Button
              variant="default"
              size="compact-sm"
              aria-label={t('statementsOf', { period: original.period })}
              onClick={() => onShow('statements', original.period)}
            >
              {t('statements')}
            </Button>
          )}
          {original.period === nextPeriod &&
            mayCall('closePeriod') &&
            Date.parse(original.window.to) <= Date.now() && (
              <Button
                variant="default"
                size="compact-sm"
                aria-label={t('previewOf', { period: original.period })}
                onClick={() => onShow('preview', original.period)}
              >
                {t('preview')}
              </Button>
            )}
        </Group>
      ),
    },
    {
      id: 'when',
      header: t('column.when'),
      accessorFn: ({ close, dueAt }) => close?.closedAt ?? dueAt,
      size: 190,
      cell: ({ row: { original } }) =>
        original.close === null ? (
          <>
            {t('column.due')} <Instant at={original.dueAt} precision="day" />
          </>
        ) : (
          <>
            {t('column.closed')} <Instant at={original.close.closedAt} precision="day" />
          </>
        ),
    },
    {
      id: 'accounts',
      header: t('column.statements'),
      accessorFn: ({ close }) => close?.accounts ?? 0,
      size: 120,
      cell: ({ row: { original } }) => original.close !== null && <Count value={original.close.accounts} />,
      meta: { align: 'right' },
    },
    {
      id: 'billable',
      header: t('column.billable'),
      accessorFn: ({ close }) => close?.totals.billableClusters ?? 0,
      size: 130,
      cell: ({ row: { original } }) =>
        original.close !== null && <Count value={original.close.totals.billableClusters} />,
      meta: { align: 'right' },
    },
    {
      id: 'time',
      header: t('common:measure.clusterSeconds'),
      accessorFn: ({ close }) => millisecondsOf(close?.totals.clusterSeconds ?? '0'),
      size: 200,
      cell: ({ row: { original } }) =>
        original.close !== null && <BilledTime seconds={original.close.totals.clusterSeconds} />,
      meta: { align: 'right', csv: ({ close }) => close?.totals.clusterSeconds ?? '' },
    },
    {
      id: 'digest',
      header: t('column.digest'),
      accessorFn: ({ close }) => close?.statementsDigest ?? '',
      enableSorting: false,
      size: 300,
      meta: { isOptional: true },
    },
  ];
  return (
    <DataTable
      label={t('all')}
      rows={periods}
      columns={columns}
      idOf={({ period }) => period}
      initialSort="-period"
    />
  );
}
