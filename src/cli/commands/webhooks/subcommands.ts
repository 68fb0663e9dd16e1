import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { addWebhooksChange } from './change.ts';
import { addWebhooksCreate } from './create.ts';
import { addWebhooksDelete } from './delete.ts';
import { addWebhooksDeliveries } from './deliveries.ts';
import { addWebhooksDisable } from './disable.ts';
import { addWebhooksEnable } from './enable.ts';
import { addWebhooksList } from './list.ts';
import { addWebhooksRedeliver } from './redeliver.ts';
import { addWebhooksReplay } from './replay.ts';
import { addWebhooksRotateSecret } from './rotate-secret.ts';
import { addWebhooksShow } from './show.ts';
import { addWebhooksTest } from './test.ts';

/** Adds `webhooks` and its subcommands. */
export function addWebhooks(parent: Command, cli: CliContext): void {
  const group = parent
    .command('webhooks')
    .description('Manages webhooks, which send events to other systems, and shows their deliveries.');
  for (const add of [
    addWebhooksList,
    addWebhooksShow,
    addWebhooksCreate,
    addWebhooksChange,
    addWebhooksTest,
    addWebhooksDeliveries,
    addWebhooksRedeliver,
    addWebhooksReplay,
    addWebhooksEnable,
    addWebhooksDisable,
    addWebhooksRotateSecret,
    addWebhooksDelete,
  ])
    add(group, cli);
}
