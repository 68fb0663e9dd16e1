import type { Command } from 'commander';
import { compareCodeUnits } from '../../../util/compare-code-units.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { Contexts } from '../../client/contexts.ts';
import { withJson } from '../../terminal/options.ts';
import { printMessage } from '../../terminal/output.ts';

export function addContextList(parent: Command, { environment, out }: CliContext): void {
  const command = parent
    .command('list')
    .summary('list the saved contexts')
    .description('Lists the saved contexts without their tokens. A star marks the current one.')
    .addHelpText('after', '\nExample:\n  $ cluster-ledger context list')
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      const { current, contexts } = await new Contexts(environment.configDir).read();
      const rows = Object.entries(contexts)
        .sort(([a], [b]) => compareCodeUnits(a, b))
        .map(([name, context]) => ({
          name,
          isCurrent: name === current,
          ...('url' in context
            ? { url: context.url, hasToken: context.token !== undefined }
            : { store: withoutPassword(context.store), namespace: context.namespace ?? null }),
        }));
      if (json) return out.json({ contexts: rows });
      if (rows.length === 0)
        return printMessage('no contexts are saved; save one with: cluster-ledger context set');
      await out.table(
        [
          { title: '', cell: ({ isCurrent }) => (isCurrent ? '*' : ' ') },
          { title: 'NAME', cell: ({ name }) => name },
          { title: 'LEDGER', cell: (row) => ('url' in row ? row.url : row.store) },
          { title: 'TOKEN', cell: (row) => ('url' in row ? (row.hasToken ? 'yes' : 'no') : undefined) },
        ],
        rows,
      );
    });
  withJson(command, 'print the contexts as JSON');
}

/** Removes the user and password of a connection string. */
function withoutPassword(store: string): string {
  return store.replace(/^([a-z+]+:\/\/)[^@/]*@/, '$1…@');
}
