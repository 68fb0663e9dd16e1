import { Group } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { type Run, runsQuery } from '../../data/validator.ts';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { Icon } from '../../ui/icons.tsx';
import { Empty, Loaded } from '../../ui/states.tsx';
import { Instant } from '../../ui/times.tsx';
import { VerdictBar } from './verdict-bar.tsx';

const STATE_ICONS = { running: 'pending', completed: 'good', abandoned: 'warning' } as const;
const VERDICTS = ['alive', 'unreachable', 'unverifiable', 'unknown'] as const;

/** Returns the duration of a run in seconds, such as `12.3`. */
function secondsOf({ result }: Run): string {
  return result === undefined ? '' : (result.durationMs / 1_000).toFixed(1);
}

/**
 * The runs, latest first, and the verdicts of the newest one.
 * @param isConfigured whether a run can be started
 */
export function Runs({ isConfigured }: { readonly isConfigured: boolean }) {
  const { t } = useTranslation('validator');
  const query = useInfiniteQuery(runsQuery);
  const columns: Columns<Run> = [
    {
      id: 'startedAt',
      header: t('run.started'),
      accessorKey: 'startedAt',
      size: 190,
      cell: ({ row: { original } }) => (
        <Link to={`/validator/${encodeURIComponent(original.id)}`}>
          <Instant at={original.startedAt} precision="second" />
        </Link>
      ),
    },
    {
      id: 'state',
      header: t('run.state'),
      accessorFn: ({ state }) => t(`stateIs.${state}`),
      size: 115,
      cell: ({ row: { original } }) => (
        <Group gap={6} wrap="nowrap">
          <Icon name={STATE_ICONS[original.state]} size={16} />
          {t(`stateIs.${original.state}`)}
        </Group>
      ),
    },
    ...VERDICTS.map((verdict) => ({
      id: verdict,
      header: t(`verdict.${verdict}`),
      accessorFn: ({ result }: Run) => result?.counts[verdict] ?? '',
      size: 108,
      meta: { align: 'right' as const },
    })),
    {
      id: 'changed',
      header: t('run.changed'),
      accessorFn: ({ result }) => result?.changed ?? '',
      size: 90,
      meta: { align: 'right' },
    },
    {
      id: 'facts',
      header: t('run.facts'),
      accessorFn: ({ result }) => result?.facts ?? '',
      size: 75,
      meta: { align: 'right' },
    },
    {
      id: 'duration',
      header: t('run.duration'),
      accessorFn: secondsOf,
      size: 95,
      meta: { align: 'right' },
    },
    {
      id: 'trigger',
      header: t('run.trigger'),
      accessorFn: ({ trigger }) => t(`triggerIs.${trigger}`),
      size: 110,
      meta: { isOptional: true },
    },
    { id: 'by', header: t('run.by'), accessorKey: 'by', size: 140, meta: { isOptional: true } },
    {
      id: 'wouldHave',
      header: t('run.wouldHave'),
      accessorFn: ({ result }) => result?.wouldHave ?? '',
      size: 140,
      meta: { align: 'right', isOptional: true },
    },
  ];
  return (
    <Loaded query={query}>
      {({ pages }) => {
        const runs = pages.flatMap(({ items }) => items);
        if (runs.length === 0) return <Empty title={t('noRuns')}>{isConfigured && t('noRunsDetail')}</Empty>;
        const newest = runs.find(({ result }) => result !== undefined)?.result;
        return (
          <>
            {newest !== undefined && (
              <div style={{ maxWidth: 640, marginBlockEnd: 24 }}>
                <VerdictBar counts={newest.counts} label={t('newest')} />
              </div>
            )}
            <DataTable
              label={t('runs')}
              rows={runs}
              columns={columns}
              idOf={({ id }) => id}
              onEnd={query.hasNextPage ? () => void query.fetchNextPage() : undefined}
              isLoadingMore={query.isFetchingNextPage}
            />
          </>
        );
      }}
    </Loaded>
  );
}
