import type { Command } from 'commander';
import { ConsistencyOut, InclusionOut } from '../../../api/proofs.ts';
import { printsAnswer } from '../../client/ask.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { position } from '../../terminal/options.ts';

export function addLogProof(parent: Command, cli: CliContext): void {
  const command = parent
    .command('proof')
    .summary('print the proof that an event is in the log')
    .description(
      'Prints the inclusion proof (RFC 9162) of the event at a position, for tools of auditors. `verify` checks whole files and needs no proof from here.',
    )
    .argument('<position>', 'position of the event in the log', position)
    .option('--size <events>', 'number of events in the tree (default: the newest checkpoint)', position)
    .addHelpText('after', '\nExample:\n  $ cluster-ledger log proof 1806 --json');
  printsAnswer(command, cli, {
    request: ([at], { size }: { readonly size?: string }) => ({
      path: '/log/proof/inclusion',
      query: { position: at, size },
    }),
    schema: InclusionOut,
    show: (out, proof) =>
      out.details([
        ['position', proof.position],
        ['leaf hash', proof.leafHash],
        ['size', proof.size],
        ['root', proof.root],
        ...proof.proof.map((hash, i) => [i === 0 ? 'proof' : '', hash] as const),
      ]),
    isRead: true,
  });
}

export function addLogConsistency(parent: Command, cli: CliContext): void {
  const command = parent
    .command('consistency')
    .summary('print the proof that the log only grew')
    .description('Prints the consistency proof (RFC 9162) between two sizes of the log.')
    .argument('<from>', 'number of events in the earlier tree', position)
    .argument('<to>', 'number of events in the later tree', position)
    .addHelpText('after', '\nExample:\n  $ cluster-ledger log consistency 1000 1806 --json');
  printsAnswer(command, cli, {
    request: ([from, to]) => ({ path: '/log/proof/consistency', query: { from, to } }),
    schema: ConsistencyOut,
    show: (out, proof) =>
      out.details([
        ['from', proof.from],
        ['its root', proof.fromRoot],
        ['size', proof.size],
        ['root', proof.root],
        ...proof.proof.map((hash, i) => [i === 0 ? 'proof' : '', hash] as const),
      ]),
    isRead: true,
  });
}
