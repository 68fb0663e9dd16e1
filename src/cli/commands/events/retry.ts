import type { Command } from 'commander';
import { RecordedOut } from '../../../api/events.ts';
import { printsAnswer } from '../../client/ask.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { path } from '../../client/client.ts';
import { recordedText } from '../../render/recorded-text.ts';
import { eventId } from '../../terminal/options.ts';

export function addEventsRetry(parent: Command, cli: CliContext): void {
  const command = parent
    .command('retry')
    .summary('post a rejected event again')
    .description('Posts a rejected event again as it was, after the cause of its rejection is fixed.')
    .argument('<id>', 'id of the rejected event', eventId)
    .addHelpText('after', '\nExample:\n  $ cluster-ledger events retry 7c2c6e5e-0d51-5b5a-9c1f-2f7b3f6a1c55');
  printsAnswer(command, cli, {
    request: ([id = '']) => ({
      method: 'POST',
      path: path`/v1/rejected-events/${id}/retry`,
      isRepeatable: true,
    }),
    schema: RecordedOut,
    show: recordedText('recorded'),
    isRead: false,
  });
}
