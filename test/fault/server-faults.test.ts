import { describe, expect, test } from 'vitest';
import { startDouble } from '../eventstoredb/double.ts';
import { startProxy } from '../eventstoredb/tcp-proxy.ts';
import { canStartNodes } from '../support/environment.ts';
import { until } from '../support/until.ts';
import { serverFaults, type TorturedServer, tortureServer } from '../torture/server-faults.ts';
import type { MixedClients } from './mixed-clients.ts';

/** Number of answers "try again" after which a fault has reached the clients. */
const NOTICED = 5;

/** A double of the server behind a proxy. @param fault does something to them until the clients notice. */
async function doubleThat(
  fault: (
    double: Awaited<ReturnType<typeof startDouble>>,
    proxy: Awaited<ReturnType<typeof startProxy>>,
    noticed: () => Promise<void>,
  ) => Promise<unknown>,
): Promise<TorturedServer> {
  const double = await startDouble();
  const proxy = await startProxy(double.port);
  const disturb = async ({ counts }: MixedClients) => {
    const before = counts.unavailable;
    await fault(double, proxy, () => until(() => counts.unavailable >= before + NOTICED));
  };
  const remove = async () => {
    await proxy.close();
    await double.close();
  };
  return { url: `esdb://127.0.0.1:${proxy.port}?tls=false`, disturb, remove };
}

describe('clients that post, void, delete, close and read, all at once,', () => {
  test.each([
    [
      'hangs',
      () =>
        doubleThat(async (_, proxy, noticed) => {
          proxy.stall();
          await noticed();
          proxy.resume();
        }),
    ],
    [
      'is gone for a while',
      () =>
        doubleThat(async (double, _, noticed) => {
          await double.stop('killed');
          await noticed();
          await double.start();
        }),
    ],
  ])('lose nothing, are refused nothing and read nothing short while the store %s', async (name, start) => {
    const { findings, ...counts } = await tortureServer({ name, server: await start(), count: 1 });
    expect(findings).toEqual([]);
    for (const count of Object.values({ ...counts, name: 1 })) expect(count).toBeGreaterThan(0);
  });

  test.skipIf(!canStartNodes)(
    'lose nothing while a real server hangs, with TLS, a user and the rights that the docs give it',
    async () => {
      const server = await (serverFaults(undefined)['users-and-tls'] as () => Promise<TorturedServer>)();
      const { findings } = await tortureServer({ name: 'users-and-tls', server, count: 1 });
      expect(findings).toEqual([]);
    },
  );
});
