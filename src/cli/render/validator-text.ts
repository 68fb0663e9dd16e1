import type { ValidatorOut } from '../../api/validator.ts';
import type { Output } from '../terminal/output.ts';

/** Prints the state of the validator. */
export async function showValidator(out: Output, { shards, running, decision }: ValidatorOut): Promise<void> {
  await out.details([
    ['runs under way', running.length],
    [
      'decision',
      decision === null ? 'none' : `runs take effect until ${decision.until}, as ${decision.by} decided`,
    ],
    ...(decision?.note === undefined ? [] : [['note', decision.note] as const]),
  ]);
  if (shards.length === 0) return out.line('\nthe validator has not run yet');
  await out.line();
  await out.table(
    [
      { title: 'SHARD', cell: ({ shard }) => shard },
      { title: 'COMPLETED AT', cell: ({ completedAt }) => completedAt },
      { title: 'CLUSTERS', isFigure: true, cell: ({ clusters }) => clusters },
      { title: 'CONDITIONS', isFigure: true, cell: ({ conditions }) => conditions },
      { title: 'BREAKER', cell: ({ breaker }) => (breaker.open ? `open (${breaker.why})` : 'closed') },
      { title: 'LAST RUN', isWide: true, cell: ({ lastRun }) => lastRun },
    ],
    shards,
  );
}
