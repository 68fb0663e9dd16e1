import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import {
  type ExplainedCluster,
  type Explanation,
  explanationCsv,
  explanationQuery,
  type UsageQuestion,
} from '../../data/usage.ts';
import { saveText } from '../../ui/csv.ts';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { BilledTime, Count, millisecondsOf, Seconds, sumOfSeconds } from '../../ui/figures.tsx';
import { Icon } from '../../ui/icons.tsx';
import { Empty, Failed, LinesSkeleton, Loaded } from '../../ui/states.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { ClusterPart } from './cluster-part.tsx';
import { Sum } from './sum.tsx';

/** The clusters that make up the figure of an account, with the sum that shows it. */
export function Parts({
  accountId,
  question,
}: {
  readonly accountId: string;
  readonly question: UsageQuestion;
}) {
  const { t } = useTranslation('usage');
  const query = useQuery(explanationQuery(accountId, question));
  const exporting = useMutation({
    mutationFn: () => explanationCsv(accountId, question),
    onSuccess: (text) => saveText(`${accountId} ${question.period}.csv`, text),
  });
  return (
    <section aria-labelledby="parts">
      <Group justify="space-between" mb="xs" gap="xs">
        <div>
          <Title order={2} id="parts">
            {t('parts.title')}
          </Title>
          <Text size="sm" c="dimmed">
            {t('parts.lead')}
          </Text>
        </div>
        <Button
          variant="default"
          size="xs"
          leftSection={<Icon name="download" size={16} />}
          loading={exporting.isPending}
          onClick={() => exporting.mutate()}
        >
          {t('parts.csv')}
        </Button>
      </Group>
      {exporting.error !== null && <Failed error={exporting.error} />}
      <Loaded query={query} skeleton={<LinesSkeleton lines={6} height={44} />}>
        {(explanation) => <ClusterTable explanation={explanation} />}
      </Loaded>
    </section>
  );
}

function ClusterTable({ explanation }: { readonly explanation: Explanation }) {
  const { t } = useTranslation('usage');
  const [url, setUrl] = useUrlState();
  const { clusters, usage } = explanation;
  const billed = clusters.filter(({ intervals }) => intervals.length > 0).length;
  const rows = url.unbilled === 'shown' ? clusters : clusters.filter(({ intervals }) => intervals.length > 0);
  const chosen = clusters.find(({ clusterId }) => clusterId === url.cluster);
  const sum = sumOfSeconds(clusters.map(({ clusterSeconds }) => clusterSeconds));
  const columns: Columns<ExplainedCluster> = [
    {
      id: 'cluster',
      header: t('common:fact.cluster'),
      accessorFn: ({ name, clusterId }) => name ?? clusterId,
      size: 260,
      cell: ({ row: { original } }) => (
        <>
          <span className="name">{original.name ?? original.clusterId}</span>
          {original.name !== null && original.name !== original.clusterId && (
            <span className="usage-id name">{original.clusterId}</span>
          )}
        </>
      ),
      meta: { csv: ({ clusterId }) => clusterId },
    },
    {
      id: 'intervals',
      header: t('parts.intervals'),
      accessorFn: ({ intervals }) => intervals.length,
      cell: ({ row: { original } }) =>
        original.why === undefined ? <Count value={original.intervals.length} /> : t(`why.${original.why}`),
      size: 150,
      meta: { align: 'right' },
    },
    {
      id: 'seconds',
      header: t('common:measure.seconds'),
      accessorFn: ({ clusterSeconds }) => millisecondsOf(clusterSeconds),
      cell: ({ row }) => <Seconds value={row.original.clusterSeconds} />,
      size: 170,
      meta: { align: 'right', csv: ({ clusterSeconds }) => clusterSeconds },
    },
    {
      id: 'time',
      header: t('common:measure.clusterSeconds'),
      accessorFn: ({ clusterSeconds }) => millisecondsOf(clusterSeconds),
      cell: ({ row }) => <BilledTime seconds={row.original.clusterSeconds} />,
      size: 200,
      enableSorting: false,
      meta: { align: 'right', csv: ({ clusterSeconds }) => clusterSeconds },
    },
    {
      id: 'explain',
      header: '',
      enableSorting: false,
      size: 110,
      cell: ({ row: { original } }) => (
        <Button
          variant="default"
          size="compact-sm"
          aria-label={t('parts.explainNamed', { name: original.name ?? original.clusterId })}
          aria-expanded={original.clusterId === url.cluster}
          onClick={() =>
            setUrl({ cluster: original.clusterId === url.cluster ? undefined : original.clusterId })
          }
        >
          {t('parts.explain')}
        </Button>
      ),
    },
  ];
  if (clusters.length === 0) return <Empty title={t('parts.none')}>{t('parts.noneDetail')}</Empty>;
  return (
    <Stack gap="lg">
      <div>
        <DataTable
          label={t('parts.title')}
          rows={rows}
          columns={columns}
          idOf={({ clusterId }) => clusterId}
          prefix="parts."
          initialSort="-seconds"
          filters={
            billed < clusters.length && (
              <Button
                variant="default"
                size="xs"
                aria-pressed={url.unbilled === 'shown'}
                onClick={() => setUrl({ unbilled: url.unbilled === 'shown' ? undefined : 'shown' })}
              >
                {t(url.unbilled === 'shown' ? 'parts.hideUnbilled' : 'parts.showUnbilled', {
                  count: clusters.length - billed,
                })}
              </Button>
            )
          }
        />
        <Sum
          text={t('sum.clusters', { count: billed })}
          sum={sum}
          figure={usage.clusterSeconds}
          ofFigure={t('sum.figure')}
        />
      </div>
      {chosen !== undefined && (
        <ClusterPart key={chosen.clusterId} cluster={chosen} onClose={() => setUrl({ cluster: undefined })} />
      )}
    </Stack>
  );
}
