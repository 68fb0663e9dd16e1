import './cluster.css';
import { Button, Group, Paper, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { type Ref, useRef, useState } from 'react';
import { Trans, useTranslation } from 'react-i18next';
import { useMay } from '../../data/caller.ts';
import {
  type Cluster,
  type ClusterBilling,
  clusterBillingQuery,
  clusterFactsQuery,
  clusterQuery,
} from '../../data/clusters.ts';
import { resumeBilling, stopBilling, transferCluster } from '../../data/corrections.ts';
import { clusterDeletionsQuery } from '../../data/deletions.ts';
import { DeletionSteps } from '../../ui/deletion-steps.tsx';
import { BilledTime } from '../../ui/figures.tsx';
import { LastSeen } from '../../ui/last-seen.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { StateMark } from '../../ui/state-mark.tsx';
import { LinesSkeleton, Loaded, Partial } from '../../ui/states.tsx';
import { Instant, useNow } from '../../ui/times.tsx';
import { DeletionActions } from '../deletions/deletion-actions.tsx';
import { billedInMonth } from './billed-time.ts';
import type { ChangeKind } from './change-dialog.tsx';
import { FactTable } from './fact-table.tsx';
import { IntervalTimeline } from './interval-timeline.tsx';
import { ChangeDialog, DeleteDialog } from './lazy-dialogs.tsx';

/** One cluster: its state in a sentence, its billed intervals to scale, and every fact. */
export default function ClusterPage() {
  const { clusterId } = useParams({ strict: false }) as { readonly clusterId: string };
  const cluster = useQuery(clusterQuery(clusterId));
  return (
    <>
      {cluster.data === undefined && <PageHeader title={clusterId} />}
      <Loaded query={cluster} skeleton={<ClusterSkeleton />} key={clusterId}>
        {(data) => <Content cluster={data} />}
      </Loaded>
    </>
  );
}

function Content({ cluster }: { readonly cluster: Cluster }) {
  const { t } = useTranslation('cluster');
  const { clusterId } = cluster;
  const billing = useQuery(clusterBillingQuery(clusterId));
  const facts = useQuery(clusterFactsQuery(clusterId));
  const [isDeleting, setDeleting] = useState(false);
  const [change, setChange] = useState<ChangeKind>();
  const deletion = useRef<HTMLElement>(null);
  return (
    <Stack gap="md">
      <div>
        <PageHeader
          title={cluster.name ?? clusterId}
          lead={
            <Group gap="xs">
              <StateMark status={cluster.status} />
              <span className="name">{clusterId}</span>
            </Group>
          }
          actions={<Actions cluster={cluster} onDelete={() => setDeleting(true)} onChange={setChange} />}
        />
        <Text size="lg" component="p" m={0} className="state-sentence" role="status">
          <StateSentence cluster={cluster} billing={billing.data} />
        </Text>
      </div>
      {cluster.halted !== undefined && (
        <Partial>{t('halted', { position: cluster.halted.position, why: cluster.halted.why })}</Partial>
      )}
      <LatestDeletion clusterId={clusterId} section={deletion} />
      <Loaded query={billing} skeleton={<Skeleton height={220} />}>
        {(data) => <IntervalTimeline billing={data} facts={facts.data?.items ?? []} />}
      </Loaded>
      <Attributes cluster={cluster} />
      <Paper component="section" withBorder p="md" aria-label={t('facts.title')}>
        <Title order={2} mb="sm">
          {t('facts.title')}
        </Title>
        <Loaded query={facts} skeleton={<LinesSkeleton lines={6} height={36} />}>
          {({ items, next }) => (
            <Stack gap="sm">
              {next !== undefined && <Partial>{t('facts.partial', { count: items.length })}</Partial>}
              <FactTable facts={items} />
            </Stack>
          )}
        </Loaded>
      </Paper>
      {isDeleting && (
        <DeleteDialog
          cluster={cluster}
          onClose={() => setDeleting(false)}
          // After the dialog has given the focus back.
          onConfirmed={() => requestAnimationFrame(() => deletion.current?.focus())}
        />
      )}
      {change !== undefined && (
        <ChangeDialog
          kind={change}
          subject={cluster.name ?? clusterId}
          changeOf={(fields) =>
            change === 'stop'
              ? stopBilling(clusterId, fields)
              : change === 'resume'
                ? resumeBilling(clusterId, fields)
                : transferCluster(clusterId, fields)
          }
          onClose={() => setChange(undefined)}
        />
      )}
    </Stack>
  );
}

interface ActionsProps {
  readonly cluster: Cluster;
  readonly onDelete: () => void;
  readonly onChange: (kind: ChangeKind) => void;
}

function Actions({ cluster: { deletedAt, status, stoppedBy }, onDelete, onChange }: ActionsProps) {
  const { t } = useTranslation('cluster');
  const isOperator = useMay();
  const mayDelete = useMay('customer');
  if (deletedAt !== null || status === 'orphan' || status === 'voided') return null;
  const isStopped = stoppedBy.includes('manual');
  return (
    <>
      {isOperator && (
        <>
          <Button variant="default" size="sm" onClick={() => onChange(isStopped ? 'resume' : 'stop')}>
            {t(isStopped ? 'action.resume' : 'action.stop')}
          </Button>
          <Button variant="default" size="sm" onClick={() => onChange('transfer')}>
            {t('action.transfer')}
          </Button>
        </>
      )}
      {mayDelete && (
        <Button color="red.9" size="sm" onClick={onDelete}>
          {t('action.delete')}
        </Button>
      )}
    </>
  );
}

/** Says in one sentence whether the cluster is billed, and since when or why not. */
function StateSentence({
  cluster,
  billing,
}: {
  readonly cluster: Cluster;
  readonly billing: ClusterBilling | undefined;
}) {
  const { t } = useTranslation('cluster');
  const now = useNow(1_000);
  const { status, billedSince, stoppedBy, deletedAt, registeredAt } = cluster;
  const at =
    { billed: billedSince, deleted: deletedAt, pending: registeredAt }[status as 'billed'] ?? undefined;
  const causes = stoppedBy.map((cause) => t(`cause.${cause}`)).join(t('listSeparator'));
  const sentence = (
    <Trans
      t={t}
      i18nKey={`sentence.${status}`}
      values={{ causes }}
      components={{ at: at === undefined ? <span /> : <Instant at={at} /> }}
    />
  );
  if (billing === undefined) return sentence;
  const { period, seconds } = billedInMonth(billing, now);
  return (
    <>
      {sentence} <BilledTime seconds={seconds} /> {t('inPeriod', { period })}
    </>
  );
}

/** The latest deletion of the cluster, live. */
function LatestDeletion({
  clusterId,
  section,
}: {
  readonly clusterId: string;
  readonly section: Ref<HTMLElement>;
}) {
  const { t } = useTranslation('cluster');
  const { data } = useQuery(clusterDeletionsQuery(clusterId));
  const [latest] = data?.items ?? [];
  return (
    <section
      ref={section}
      tabIndex={-1}
      aria-label={t('deletion')}
      aria-live="polite"
      hidden={latest === undefined}
    >
      {latest !== undefined && (
        <Paper withBorder p="md">
          <Group justify="space-between" mb="sm" gap="xs">
            <Title order={2}>
              {t('deletion')}: {t(`common:deletion.state.${latest.state}`)}
            </Title>
            <DeletionActions deletion={latest} />
          </Group>
          <DeletionSteps deletion={latest} />
        </Paper>
      )}
    </section>
  );
}

/** Attributes of a cluster that are texts, in the order in which they are shown. */
const TEXTS = ['accountId', 'clusterType', 'cloudProvider', 'region', 'connection'] as const;

function Attributes({ cluster }: { readonly cluster: Cluster }) {
  const { t } = useTranslation('cluster');
  const { registeredAt, lastVerdict, labels } = cluster;
  return (
    <Paper component="section" withBorder p="md" aria-label={t('attributes.title')}>
      <Title order={2} mb="sm">
        {t('attributes.title')}
      </Title>
      <dl className="attributes">
        {TEXTS.map((name) => {
          const value = cluster[name];
          return value === undefined || value === null ? null : (
            <div key={name}>
              <dt>{t(`attributes.${name}`)}</dt>
              <dd className="name">{value}</dd>
            </div>
          );
        })}
        {registeredAt !== null && (
          <div>
            <dt>{t('attributes.registeredAt')}</dt>
            <dd>
              <Instant at={registeredAt} />
            </dd>
          </div>
        )}
        <div>
          <dt>{t('attributes.lastSeen')}</dt>
          <dd>
            <LastSeen cluster={cluster} />
            {lastVerdict !== undefined && ` · ${lastVerdict.state} (${lastVerdict.code})`}
          </dd>
        </div>
        {Object.entries(labels ?? {}).map(([name, value]) => (
          <div key={name}>
            <dt className="name">{name}</dt>
            <dd className="name">{value}</dd>
          </div>
        ))}
      </dl>
    </Paper>
  );
}

function ClusterSkeleton() {
  return (
    <Stack gap="md" aria-busy="true">
      <Skeleton height={24} width={420} maw="100%" />
      <Skeleton height={220} />
      <LinesSkeleton lines={8} height={36} />
    </Stack>
  );
}
