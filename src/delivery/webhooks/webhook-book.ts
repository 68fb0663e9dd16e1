import { WEBHOOK_ENABLED, WEBHOOKS_STREAM } from '../../domain/stream-table.ts';
import { applyWebhookEvent, deliveryRequestOf, type Webhook } from '../../domain/webhook.ts';
import type { EventStore, RecordedEvent } from '../../eventstore/event-store.ts';
import type { Revision } from '../../util/log-numbers.ts';
import { SerialQueue } from '../../util/serial-queue.ts';
import type { GroupCommand } from '../groups/consumer-group.ts';

/** A command for the consumer group of a webhook, as recorded. */
export interface RecordedCommand {
  readonly webhookId: string;
  readonly revision: Revision;
  readonly command: GroupCommand;
}

/** The webhooks, as their stream describes them. */
export class WebhookBook {
  readonly #store: Pick<EventStore, 'readStream'>;
  readonly #webhooks = new Map<string, Webhook>();
  readonly #commands: RecordedCommand[] = [];
  readonly #queue = new SerialQueue();
  #next: Revision = 0;

  constructor(store: Pick<EventStore, 'readStream'>) {
    this.#store = store;
  }

  /** Reads the events that were recorded since the last call. @throws StoreUnavailable */
  refresh(): Promise<void> {
    return this.#queue.run(async () => {
      for await (const event of this.#store.readStream(WEBHOOKS_STREAM, { from: this.#next })) {
        applyWebhookEvent(this.#webhooks, event);
        const command = commandOf(event);
        if (command !== undefined) this.#commands.push(command);
        this.#next = event.revision + 1;
      }
    });
  }

  all(): readonly Webhook[] {
    return [...this.#webhooks.values()];
  }

  find(webhookId: string): Webhook | undefined {
    return this.#webhooks.get(webhookId);
  }

  /** Returns the commands for one webhook, in order. */
  commandsOf(webhookId: string): readonly RecordedCommand[] {
    return this.#commands.filter((each) => each.webhookId === webhookId);
  }
}

function commandOf(event: RecordedEvent): RecordedCommand | undefined {
  const { revision } = event;
  if (event.type === WEBHOOK_ENABLED)
    return { webhookId: String(event.data['webhookId']), revision, command: { kind: 'retry-now' } };
  const request = deliveryRequestOf(event);
  if (request === undefined) return undefined;
  const { webhookId, position } = request;
  const command: GroupCommand =
    position === undefined ? { kind: 'replay-parked' } : { kind: 'redeliver', position };
  return { webhookId, revision, command };
}
