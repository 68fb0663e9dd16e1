import type { Command } from 'commander';
import type { z } from 'zod';
import { type ExplainedClusterOut, ExplanationOut } from '../../api/explain.ts';
import type { FactRef } from '../../api/fact-ref.ts';
import type { UsageOut } from '../../api/usage.ts';
import { type CliContext, withLedger } from '../client/cli-context.ts';
import { path } from '../client/client.ts';
import { printAnswer } from '../client/requests.ts';
import { hasTypes, rowsByType, type TypeRow, typeColumn, typeText } from '../render/by-type.ts';
import { headDetails, usageColumns } from '../render/figures.ts';
import {
  accountId,
  type WindowOptions,
  windowQuery,
  withAsOf,
  withCsv,
  withJson,
  withTarget,
  withWindow,
} from '../terminal/options.ts';

type Usage = z.output<typeof UsageOut>;

interface Row {
  readonly clusterId: string;
  readonly name: string | null;
  readonly interval?: ExplainedClusterOut['intervals'][number];
  readonly why?: string | undefined;
}

export function addExplain(parent: Command, cli: CliContext): void {
  const command = parent
    .command('explain')
    .description(
      'Breaks the usage of an account down to clusters, the intervals in which each was billed, and the facts that opened and closed them.',
    )
    .argument('<account>', 'id of the account', accountId)
    .addHelpText('after', '\nExample:\n  $ cluster-ledger explain acme --period 2026-03')
    .action((account: string, options: WindowOptions) => {
      const query = { ...windowQuery(options), asOf: options.asOf };
      const request = { path: path`/v1/accounts/${account}/usage/explain`, query };
      return withLedger(cli, options, (client) =>
        printAnswer(client, cli.out, options, request, ExplanationOut, (answer) => show(cli, answer)),
      );
    });
  withCsv(withJson(withTarget(withAsOf(withWindow(command)))));
}

async function show({ out }: CliContext, answer: z.output<typeof ExplanationOut>): Promise<void> {
  await out.details([
    ['account', answer.accountId],
    ...headDetails(answer),
    ['clusters', answer.usage.billableClusters],
    ['cluster seconds', answer.usage.clusterSeconds],
  ]);
  await out.line();
  const isTyped = hasTypes(answer.byType);
  if (isTyped) {
    const types = rowsByType<Usage>(answer.usage, answer.byType);
    await out.table([...typeColumn(types), ...usageColumns<TypeRow<Usage>>(({ figures }) => figures)], types);
    await out.line();
  }
  const rows = answer.clusters.flatMap(({ clusterId, name, intervals, why }): Row[] =>
    intervals.length === 0
      ? [{ clusterId, name, why }]
      : intervals.map((interval) => ({ clusterId, name, interval })),
  );
  await out.table(
    [
      { title: 'CLUSTER', cell: ({ clusterId }) => clusterId },
      { title: 'NAME', isWide: true, cell: ({ name }) => name },
      ...(isTyped ? [{ title: 'TYPE', isWide: true, cell: intervalType }] : []),
      { title: 'FROM', cell: ({ interval, why }) => interval?.from ?? `not billed: ${why}` },
      { title: 'TO', cell: ({ interval }) => interval?.to },
      {
        title: 'CLUSTER SECONDS',
        isFigure: true,
        cell: ({ interval }) => interval?.clusterSeconds ?? '0.000',
      },
      { title: 'FACTS', cell: ({ interval }) => positionsOf(interval) },
      { title: 'OPENED BY', isWide: true, cell: ({ interval }) => describeFact(interval?.openedBy) },
      {
        title: 'CLOSED BY',
        isWide: true,
        cell: ({ interval }) => (interval?.stillBilled ? 'still billed' : describeFact(interval?.closedBy)),
      },
    ],
    rows,
  );
}

function intervalType({ interval }: Row): string | undefined {
  return interval === undefined ? undefined : typeText(interval.clusterType);
}

/** Returns the positions of the facts that opened and closed an interval, which `events show` takes. */
function positionsOf(interval: Row['interval']): string | undefined {
  if (interval === undefined) return undefined;
  return [interval.openedBy, interval.closedBy].flatMap((fact) => fact?.position ?? []).join(', ');
}

function describeFact(fact: FactRef | null | undefined): string | undefined {
  return fact === null || fact === undefined ? undefined : `${fact.type} ${fact.eventId}`;
}
