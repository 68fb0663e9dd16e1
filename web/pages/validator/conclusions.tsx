import { Anchor, Code, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { ConcludedFact, RunDetail } from '../../data/validator.ts';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { Instant } from '../../ui/times.tsx';

/** A cluster that leads to its page. */
export function ClusterLink({ clusterId }: { readonly clusterId: string }) {
  return (
    <Anchor
      inherit
      className="name"
      renderRoot={(props) => <Link {...props} to={`/clusters/${encodeURIComponent(clusterId)}`} />}
    >
      {clusterId}
    </Anchor>
  );
}

/** Returns the payload of a fact, which is its evidence. */
function evidenceOf({ type: _, clusterId: __, effectiveAt: ___, ...payload }: ConcludedFact): string {
  return JSON.stringify(payload, null, 1);
}

interface ConclusionsProps {
  readonly title: string;
  readonly facts: readonly ConcludedFact[];
  /** Beginning of the parameters of the table in the address. */
  readonly prefix: string;
}

/** Facts that a run concluded, each with its evidence. Absent if there are none. */
export function Conclusions({ title, facts, prefix }: ConclusionsProps) {
  const { t } = useTranslation('validator');
  const columns: Columns<ConcludedFact> = [
    {
      id: 'cluster',
      header: t('cluster'),
      accessorKey: 'clusterId',
      size: 200,
      cell: ({ row }) => <ClusterLink clusterId={row.original.clusterId} />,
    },
    { id: 'type', header: t('fact'), accessorFn: ({ type }) => t(`factIs.${type}`), size: 170 },
    {
      id: 'effectiveAt',
      header: t('effective'),
      accessorKey: 'effectiveAt',
      size: 180,
      cell: ({ row }) => <Instant at={row.original.effectiveAt} precision="second" />,
    },
    {
      id: 'evidence',
      header: t('evidence'),
      accessorFn: evidenceOf,
      size: 340,
      enableSorting: false,
      cell: ({ row }) => <Code className="evidence">{evidenceOf(row.original)}</Code>,
    },
  ];
  if (facts.length === 0) return null;
  return (
    <section>
      <Title order={2} mb="xs">
        {title}
      </Title>
      <DataTable
        label={title}
        rows={facts}
        columns={columns}
        idOf={({ clusterId, type }) => `${clusterId} ${type}`}
        prefix={prefix}
      />
    </section>
  );
}

type Verdict = Omit<RunDetail['verdicts'][number], 'state' | 'uid'> & { readonly state: string };

/** Verdicts of clusters, with what was seen. */
export function Verdicts({
  title,
  verdicts,
}: {
  readonly title: string;
  readonly verdicts: readonly Verdict[];
}) {
  const { t } = useTranslation('validator');
  const columns: Columns<Verdict> = [
    {
      id: 'cluster',
      header: t('cluster'),
      accessorKey: 'clusterId',
      size: 220,
      cell: ({ row }) => <ClusterLink clusterId={row.original.clusterId} />,
    },
    { id: 'state', header: t('verdictTitle'), accessorFn: ({ state }) => t(`verdict.${state}`), size: 140 },
    { id: 'code', header: t('code'), accessorKey: 'code', size: 170 },
    { id: 'detail', header: t('seen'), accessorFn: ({ detail }) => detail ?? '', size: 300 },
    {
      id: 'at',
      header: t('at'),
      accessorKey: 'at',
      size: 190,
      cell: ({ row }) => <Instant at={row.original.at} precision="second" />,
    },
  ];
  return (
    <section>
      <Title order={2} mb="xs">
        {title}
      </Title>
      <DataTable
        label={title}
        rows={verdicts}
        columns={columns}
        idOf={({ clusterId }) => clusterId}
        prefix="verdicts."
        initialSort="state"
      />
    </section>
  );
}
