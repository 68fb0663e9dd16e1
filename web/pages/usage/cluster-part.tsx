import { CloseButton, Group, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { ExplainedCluster, ExplainedInterval } from '../../data/usage.ts';
import { FactCard, preciseUtc } from '../../ui/fact-card.tsx';
import { Seconds, sumOfSeconds } from '../../ui/figures.tsx';
import { PageLink } from '../../ui/page-link.tsx';
import { Empty } from '../../ui/states.tsx';
import { Sum } from './sum.tsx';

/** The intervals of a cluster, each with the fact that opened it and the fact that closed it. */
export function ClusterPart({
  cluster,
  onClose,
}: {
  readonly cluster: ExplainedCluster;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation('usage');
  const { clusterId, name, intervals, clusterSeconds, why } = cluster;
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  return (
    <section aria-labelledby="cluster-part">
      <Group justify="space-between" mb="sm" wrap="nowrap" align="flex-start">
        <div className="breakable">
          <Title order={2} id="cluster-part" ref={title} tabIndex={-1} className="name">
            {t('cluster.title', { name: name ?? clusterId })}
          </Title>
          <PageLink to="/clusters/$clusterId" params={{ clusterId }}>
            {t('cluster.open')}
          </PageLink>
        </div>
        <CloseButton aria-label={t('cluster.close')} onClick={onClose} />
      </Group>
      {why !== undefined && <Empty title={t(`why.${why}`)} />}
      <Stack gap="md">
        {intervals.map((interval) => (
          <Interval key={interval.from} interval={interval} />
        ))}
      </Stack>
      {intervals.length > 0 && (
        <div className="usage-interval-sum">
          <Sum
            text={t('sum.intervals', { count: intervals.length })}
            sum={sumOfSeconds(intervals.map((interval) => interval.clusterSeconds))}
            figure={clusterSeconds}
            ofFigure={t('sum.ofCluster')}
          />
        </div>
      )}
    </section>
  );
}

function Interval({ interval }: { readonly interval: ExplainedInterval }) {
  const { t } = useTranslation('usage');
  const { from, to, clusterType, clusterSeconds, openedBy, closedBy } = interval;
  return (
    <Paper component="section" withBorder p="md" aria-label={t('interval.label', { from: preciseUtc(from) })}>
      <Group justify="space-between" gap="xs" mb="sm">
        <Text component="h3" fw={600} size="md" m={0} className="breakable">
          {preciseUtc(from)} – {preciseUtc(to)}
        </Text>
        <Text component="span" fw={600}>
          <Seconds value={clusterSeconds} />
        </Text>
      </Group>
      <Text size="sm" c="dimmed" mb="sm">
        {t('interval.type')} <span className="name">{clusterType ?? t('common:measure.noType')}</span>
      </Text>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <FactCard title={t('interval.openedBy')} fact={openedBy} />
        {closedBy === null ? (
          <Paper withBorder p="sm">
            <Text size="sm" c="dimmed">
              {t('interval.closedBy')}
            </Text>
            <Text fw={600}>{t('interval.stillBilled')}</Text>
            <Text size="sm">{t('interval.stillBilledDetail', { to: preciseUtc(to) })}</Text>
          </Paper>
        ) : (
          <FactCard title={t('interval.closedBy')} fact={closedBy} />
        )}
      </SimpleGrid>
    </Paper>
  );
}
