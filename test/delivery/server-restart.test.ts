import { expect, test } from 'vitest';
import { canStartNodes } from '../support/environment.ts';
import { startSingleNode } from '../support/eventstored.ts';
import { tortureDeliveries } from '../torture/deliveries.ts';

test.skipIf(!canStartNodes)(
  'webhooks of two replicas get every fact in order through a restart of a real EventStoreDB, and the other replica goes on when the one that sends is killed',
  async () => {
    // The long form is `npm run torture -- deliveries`.
    const server = await startSingleNode();
    const report = await tortureDeliveries({ server, count: 1, clients: 4 }).finally(() => server.remove());
    expect(report).toMatchObject({ restarts: 1, kills: 1, findings: [] });
  },
);
