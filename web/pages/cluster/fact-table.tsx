import { Button, Code } from '@mantine/core';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMay } from '../../data/caller.ts';
import type { Fact } from '../../data/clusters.ts';
import { voidFact } from '../../data/corrections.ts';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { Instant, utcText } from '../../ui/times.tsx';
import { factName } from './fact-names.ts';
import { ChangeDialog } from './lazy-dialogs.tsx';

const VOIDED = 'io.clusterledger.fact.voided.v1';

/** Every fact of a cluster, in the order of recording, with its source, its actor and both times. Voided facts stay. */
export function FactTable({ facts }: { readonly facts: readonly Fact[] }) {
  const { t } = useTranslation('cluster');
  const isOperator = useMay();
  const [voiding, setVoiding] = useState<Fact>();
  const columns = useMemo(() => {
    const voids = new Map(
      facts.flatMap((fact) =>
        fact.type === VOIDED
          ? [[(fact.data as { readonly voids: string }).voids, fact.recordedtime] as const]
          : [],
      ),
    );
    const voidedAt = ({ ledgereventid }: Fact) => voids.get(ledgereventid);
    const actions: Columns<Fact> = isOperator
      ? [
          {
            id: 'actions',
            header: '',
            enableSorting: false,
            size: 90,
            cell: ({ row: { original } }) =>
              original.type !== VOIDED &&
              voidedAt(original) === undefined && (
                <Button
                  variant="subtle"
                  size="compact-sm"
                  color="gray"
                  c="inherit"
                  onClick={() => setVoiding(original)}
                  aria-label={t('facts.voidNamed', {
                    type: factName(t, original.type),
                    at: utcText(original.time),
                  })}
                >
                  {t('facts.void')}
                </Button>
              ),
          },
        ]
      : [];
    const own: Columns<Fact> = [
      {
        id: 'type',
        header: t('facts.type'),
        accessorFn: ({ type }) => factName(t, type),
        size: 200,
        cell: ({ row: { original } }) => {
          const at = voidedAt(original);
          return (
            <span id={original.ledgereventid} className="fact-type">
              {at === undefined ? factName(t, original.type) : <s>{factName(t, original.type)}</s>}
              {at !== undefined && <span className="fact-note">{t('facts.voided')}</span>}
            </span>
          );
        },
      },
      {
        id: 'time',
        header: t('facts.effective'),
        accessorKey: 'time',
        size: 200,
        cell: ({ row }) => <Instant at={row.original.time} precision="second" />,
      },
      {
        id: 'recorded',
        header: t('facts.recorded'),
        accessorKey: 'recordedtime',
        size: 200,
        cell: ({ row }) => <Instant at={row.original.recordedtime} precision="second" />,
      },
      {
        id: 'actor',
        header: t('facts.actor'),
        accessorFn: ({ ledgeractor }) => ledgeractor ?? '',
        size: 160,
        cell: ({ getValue }) => <span className="name">{String(getValue())}</span>,
      },
      {
        id: 'source',
        header: t('facts.source'),
        accessorKey: 'source',
        size: 240,
        cell: ({ row }) => <span className="name">{row.original.source}</span>,
      },
      {
        id: 'data',
        header: t('facts.data'),
        accessorFn: ({ data }) => JSON.stringify(data),
        enableSorting: false,
        size: 300,
        cell: ({ row }) => <Code className="fact-data name">{JSON.stringify(row.original.data)}</Code>,
      },
      {
        id: 'position',
        header: t('facts.position'),
        accessorFn: ({ ledgerposition }) => Number(ledgerposition),
        size: 110,
        meta: { align: 'right' },
      },
      {
        id: 'eventId',
        header: t('facts.eventId'),
        accessorKey: 'ledgereventid',
        enableSorting: false,
        size: 320,
        meta: { isOptional: true },
      },
      ...actions,
    ];
    return own;
  }, [t, facts, isOperator]);
  return (
    <>
      <DataTable
        label={t('facts.title')}
        rows={facts}
        columns={columns}
        idOf={({ ledgereventid }) => ledgereventid}
        prefix="facts."
        initialSort="-position"
      />
      {voiding !== undefined && (
        <ChangeDialog
          kind="void"
          subject={factName(t, voiding.type)}
          changeOf={(fields) => voidFact(voiding.ledgereventid, fields)}
          onClose={() => setVoiding(undefined)}
        />
      )}
    </>
  );
}
