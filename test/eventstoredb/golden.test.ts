import { EventStoreDBClient } from '@eventstore/db-client';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { eventStoreDbUrl } from '../support/environment.ts';
import { startDouble } from './double.ts';
import { readGoldenCases } from './golden-case.ts';
import { playCase, writePast } from './golden-runner.ts';

interface Target {
  readonly name: string;
  readonly isShared: boolean;
  start(): Promise<{ readonly url: string; close(): Promise<void> }>;
}

const double: Target = { name: 'the double', isShared: false, start: () => startDouble() };

const server = (url: string): Target => ({
  name: 'a running server',
  isShared: true,
  start: async () => ({ url, close: async () => undefined }),
});

const targets = eventStoreDbUrl === undefined ? [double] : [double, server(eventStoreDbUrl)];
const cases = readGoldenCases();

describe.each(targets)('$name answers as EventStoreDB 23.10.6 did', ({ isShared, start }) => {
  let client: EventStoreDBClient;
  let close: () => Promise<void>;

  beforeAll(async () => {
    const target = await start();
    close = () => target.close();
    client = EventStoreDBClient.connectionString(target.url);
    await writePast(client);
  });

  afterAll(async () => {
    await client.dispose();
    await close();
  });

  test.each(cases)('$case', async (goldenCase) => {
    await playCase(client, goldenCase, isShared);
  });
});
