import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, type JSONEventData, jsonEvent } from '@eventstore/db-client';
import { onTestFinished } from 'vitest';
import { type DoubleOptions, type EventStoreDouble, startDouble } from './double.ts';
import { startProxy, type TcpProxy } from './tcp-proxy.ts';

/** A double for one test, and the one client that talks to it. */
export interface Fixture {
  readonly double: EventStoreDouble;
  readonly client: EventStoreDBClient;
}

export async function startFixture(options: DoubleOptions = {}): Promise<Fixture> {
  const double = await startDouble(options);
  const client = connect(double.port);
  onTestFinished(async () => {
    await client.dispose();
    await double.close();
  });
  return { double, client };
}

/** The same with a network in between. */
export async function startFixtureBehindProxy(): Promise<Fixture & { readonly proxy: TcpProxy }> {
  const double = await startDouble();
  const proxy = await startProxy(double.port);
  const client = connect(proxy.port);
  onTestFinished(async () => {
    proxy.resume();
    await client.dispose();
    await proxy.close();
    await double.close();
  });
  return { double, client, proxy };
}

export const connect = (port: number, scheme = 'esdb', settings = ''): EventStoreDBClient =>
  EventStoreDBClient.connectionString(`${scheme}://127.0.0.1:${port}?tls=false${settings}`);

export const newEvent = (body: unknown = null, id: string = randomUUID()): JSONEventData =>
  jsonEvent({ id, type: 'noted', data: { body } });

/** Whether a promise has settled yet; its rejection is taken care of. */
export function watch(promise: Promise<unknown>): {
  readonly state: () => 'pending' | 'resolved' | 'rejected';
} {
  let state: 'pending' | 'resolved' | 'rejected' = 'pending';
  promise.then(
    () => {
      state = 'resolved';
    },
    () => {
      state = 'rejected';
    },
  );
  return { state: () => state };
}
