import type { z } from 'zod';
import { PolicyWhatIfOut } from '../../../api/validator.ts';
import { type CliContext, withLedger } from '../../client/cli-context.ts';
import { ProblemError, printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { amountColumns, signed } from '../../render/figures.ts';
import { readPolicy } from './policy-file.ts';

type WhatIf = z.output<typeof PolicyWhatIfOut>;
type Item = WhatIf['items'][number];

interface WhatIfOptions extends TargetOptions {
  readonly json?: boolean;
}

/** Shows which billing another policy would have stopped. @throws CliError if the policy is not valid. */
export async function whatIfPolicy(
  cli: CliContext,
  file: string,
  window: { readonly from: string; readonly to: string },
  options: WhatIfOptions,
): Promise<void> {
  const { policy, locate: placeOf } = await readPolicy(file);
  const body = { policy, ...window };
  const request = { method: 'POST', path: '/v1/validations/what-if', body } as const;
  const fieldName = (pointer: string) => {
    const [, inside] = /^\/policy((?:\/.*)?)$/.exec(pointer) ?? [];
    return inside === undefined ? pointer.replace(/^\//, '--') : placeOf(inside);
  };
  await withLedger(cli, options, async (client) => {
    try {
      await printAnswer(client, cli.out, options, request, PolicyWhatIfOut, (answer) => show(cli, answer));
    } catch (error) {
      throw error instanceof ProblemError ? error.withFieldNames(fieldName) : error;
    }
  });
}

async function show({ out }: CliContext, { window, through, runs, items }: WhatIf): Promise<void> {
  await out.details([
    ['from', window.from],
    ['to', window.to],
    ['counted through', through],
    ['runs replayed', runs],
  ]);
  if (items.length === 0) return out.line('\nno account would be billed differently');
  await out.line();
  await out.table<Item>(
    [
      { title: 'ACCOUNT', cell: ({ accountId }) => accountId },
      ...amountColumns<Item>('BEFORE', ({ before }) => before),
      ...amountColumns<Item>('AFTER', ({ after }) => after),
      ...amountColumns<Item>('DELTA', ({ delta }) => delta, signed),
    ],
    items,
  );
  const stops = items.flatMap(({ accountId, stops }) => stops.map((stop) => ({ accountId, ...stop })));
  if (stops.length === 0) return out.line('\nno billing would be stopped');
  await out.line(`\n${out.style('bold', 'Stops')}`);
  await out.table(
    [
      { title: 'ACCOUNT', cell: ({ accountId }) => accountId },
      { title: 'CLUSTER', cell: ({ clusterId }) => clusterId },
      { title: 'STOPPED FROM', cell: ({ from }) => from },
      { title: 'TO', cell: ({ to }) => to ?? 'still stopped' },
      { title: 'POLICY', cell: ({ policy }) => policy },
    ],
    stops,
  );
}
