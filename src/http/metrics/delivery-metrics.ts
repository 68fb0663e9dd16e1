import { Gauge, type Registry } from 'prom-client';
import type { Webhooks } from '../../delivery/webhooks/webhook-groups.ts';

/** Adds the metrics of the webhooks that this process sends to. Another replica has those of the webhooks it sends to. */
export function measureDeliveries(registry: Registry, webhooks: Pick<Webhooks, 'running'>): void {
  const gauge = (
    name: string,
    help: string,
    value: (group: ReturnType<Webhooks['running']>[number]) => number,
  ) =>
    new Gauge({
      name,
      help,
      labelNames: ['webhook'],
      registers: [registry],
      collect() {
        this.reset();
        for (const each of webhooks.running()) this.set({ webhook: each.webhookId }, value(each));
      },
    });
  gauge(
    'ledger_webhook_outstanding',
    'Number of messages that are being sent or wait for another attempt',
    ({ status }) => status.outstanding,
  );
  gauge(
    'ledger_webhook_parked',
    'Number of messages whose attempts are used up',
    ({ status }) => status.parked.length,
  );
  gauge(
    'ledger_webhook_behind',
    'Number of positions of the log that were not read for the webhook yet',
    ({ behind }) => behind,
  );
  gauge('ledger_webhook_failing', '1 if every attempt has failed since the last success', ({ status }) =>
    Number(status.failingSince !== undefined),
  );
}
