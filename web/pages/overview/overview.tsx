import './overview.css';
import { Anchor, Paper, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Trans, useTranslation } from 'react-i18next';
import { useMay } from '../../data/caller.ts';
import { type Overview, overviewQuery } from '../../data/overview.ts';
import { BilledTime, Count } from '../../ui/figures.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { Empty, Loaded } from '../../ui/states.tsx';
import { Age, BillingWindow } from '../../ui/times.tsx';
import { BillableDays } from './billable-days.tsx';
import { ByState } from './by-state.tsx';
import { LatestAlerts } from './latest-alerts.tsx';
import { Verdict } from './verdict.tsx';

/** The first page: whether anything is wrong, what is billed now, and how far the month is. */
export default function OverviewPage() {
  const { t } = useTranslation('overview');
  const query = useQuery(overviewQuery);
  return (
    <>
      <PageHeader title={t('title')} />
      <Loaded query={query} skeleton={<OverviewSkeleton />}>
        {(overview) => <Content overview={overview} />}
      </Loaded>
    </>
  );
}

function Content({ overview }: { readonly overview: Overview }) {
  const { t } = useTranslation('overview');
  const mayReadAlerts = useMay('auditor', 'customer');
  const { clusters, month, periods, validator, lag } = overview;
  if (Object.values(clusters).every((count) => count === 0))
    return (
      <Empty title={t('empty.title')}>
        <Trans
          t={t}
          i18nKey="empty.detail"
          components={{ docs: <Anchor href="/docs" inherit underline="always" /> }}
        />
      </Empty>
    );
  return (
    <Stack gap="md">
      <Verdict overview={overview} />
      <SimpleGrid cols={{ base: 2, md: periods === undefined ? 3 : 4 }} spacing="sm">
        <Figure label={t('figure.billedNow')} value={<Count value={clusters.billed} />} />
        <Figure
          label={t('figure.billable', { period: month.period })}
          value={<Count value={month.usage.billableClusters} />}
          detail={t('figure.peak', { count: month.usage.peakClusters })}
        />
        <Figure
          label={t('figure.billedTime', { period: month.period })}
          value={<BilledTime seconds={month.usage.clusterSeconds} />}
          isLong
          detail={<BillingWindow from={month.window.from} />}
        />
        {periods !== undefined && (
          <Figure
            label={t('figure.lastClosed')}
            value={periods.lastClosed?.period ?? t('figure.none')}
            detail={
              periods.lastClosed !== null ? (
                <>
                  {t('figure.closed')} <Age at={periods.lastClosed.closedAt} />
                </>
              ) : undefined
            }
          />
        )}
      </SimpleGrid>
      <BillableDays days={overview.days} />
      <SimpleGrid cols={{ base: 1, md: mayReadAlerts ? 2 : 1 }} spacing="md">
        <ByState clusters={clusters} />
        {mayReadAlerts && <LatestAlerts />}
      </SimpleGrid>
      <Text size="xs" c="dimmed" className="figure overview-facts">
        {validator !== undefined && (
          <span>
            {validator.running ? (
              t('validator.running')
            ) : validator.lastRunAt === null ? (
              t('validator.never')
            ) : (
              <>
                {t('validator.lastRun')} <Age at={validator.lastRunAt} />
              </>
            )}
          </span>
        )}
        {lag !== undefined && (
          <span>{lag.events === null ? t('lag.unknown') : t('lag.events', { count: lag.events })}</span>
        )}
        {lag !== undefined && <span>{t('lag.unsigned', { count: lag.unsigned })}</span>}
        <span>{t('position', { position: overview.position })}</span>
      </Text>
    </Stack>
  );
}

interface FigureProps {
  readonly label: string;
  readonly value: ReactNode;
  readonly detail?: ReactNode;
  /** Whether the value is a text of several parts, which needs smaller letters. */
  readonly isLong?: boolean;
}

function Figure({ label, value, detail, isLong = false }: FigureProps) {
  return (
    <Paper withBorder p="md" className="key-figure">
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text component="p" fw={650} className="key-figure-value" data-long={isLong || undefined}>
        {value}
      </Text>
      {detail !== undefined && (
        <Text component="div" size="xs" c="dimmed" className="key-figure-detail">
          {detail}
        </Text>
      )}
    </Paper>
  );
}

function OverviewSkeleton() {
  return (
    <Stack gap="md" aria-busy="true">
      <Skeleton height={96} />
      <SimpleGrid cols={{ base: 2, md: 4 }} spacing="sm">
        {['a', 'b', 'c', 'd'].map((key) => (
          <Skeleton key={key} height={104} />
        ))}
      </SimpleGrid>
      <Skeleton height={336} />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <Skeleton height={280} />
        <Skeleton height={280} />
      </SimpleGrid>
    </Stack>
  );
}
