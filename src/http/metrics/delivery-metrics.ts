import { Gauge, type Registry } from 'prom-client';
import type { Notifications } from '../../delivery/alerts/notifications.ts';
import type { GroupStatus } from '../../delivery/groups/consumer-group.ts';
import type { Webhooks } from '../../delivery/webhooks/webhook-groups.ts';

const OUTSTANDING = 'Number of messages that are being sent or wait for another attempt';
const FAILING = '1 if every attempt has failed since the last success';

/**
 * Adds the metrics of the webhooks and the notification channels that this process sends to. Another replica has those of the
 * receivers it sends to.
 * @param notifications absent if alerts are not announced.
 */
export function measureDeliveries(
  registry: Registry,
  webhooks: Pick<Webhooks, 'running'>,
  notifications: Pick<Notifications, 'statuses'> | undefined,
): void {
  const ofWebhooks = gaugesOf(registry, 'webhook', () =>
    webhooks.running().map((webhook) => [webhook.webhookId, webhook]),
  );
  ofWebhooks('ledger_webhook_outstanding', OUTSTANDING, outstandingOf);
  ofWebhooks(
    'ledger_webhook_parked',
    'Number of messages whose attempts are used up',
    ({ status }) => status.parked.length,
  );
  ofWebhooks(
    'ledger_webhook_behind',
    'Number of positions of the log that were not read for the webhook yet',
    ({ behind }) => behind,
  );
  ofWebhooks('ledger_webhook_failing', FAILING, isFailing);

  const ofChannels = gaugesOf(registry, 'channel', () =>
    (notifications?.statuses() ?? []).map((channel) => [channel.channel, channel]),
  );
  ofChannels('ledger_notification_outstanding', OUTSTANDING, outstandingOf);
  ofChannels('ledger_notification_failing', FAILING, isFailing);
}

/** Returns a function that adds a gauge with one sample for each receiver. */
function gaugesOf<T>(
  registry: Registry,
  label: 'webhook' | 'channel',
  receivers: () => (readonly [name: string, receiver: T])[],
): (name: string, help: string, value: (receiver: T) => number) => void {
  return (name, help, value) =>
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [receiver, state] of receivers()) this.set({ [label]: receiver }, value(state));
      },
    });
}

interface WithStatus {
  readonly status: GroupStatus;
}

const outstandingOf = ({ status }: WithStatus) => status.outstanding;
const isFailing = ({ status }: WithStatus) => Number(status.failingSince !== undefined);
