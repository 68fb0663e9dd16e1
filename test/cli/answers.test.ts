import { describe, expect, test } from 'vitest';
import { AlertOut } from '../../src/api/alerts.ts';
import { BatchResultOut } from '../../src/api/events.ts';
import { LivenessOut } from '../../src/api/operations.ts';
import type { Client } from '../../src/cli/client/client.ts';
import { parseAnswer } from '../../src/cli/client/requests.ts';

const client: Client = {
  name: 'http://ledger.example.com',
  send: () => Promise.reject(new Error('nothing is sent')),
  close: () => Promise.resolve(),
};

const alert = {
  id: 'flapping:c1',
  kind: 'flapping',
  severity: 'warning',
  state: 'open',
  subject: 'c1',
  raisedAt: '2026-04-15T12:00:00.000Z',
  updatedAt: '2026-04-15T12:00:00.000Z',
  happened: 'h',
  bill: 'b',
  next: 'n',
  data: {},
};
const recorded = {
  outcome: 'appended',
  eventId: '7c2c6e5e-0d51-5b5a-9c1f-2f7b3f6a1c55',
  clusterId: 'c1',
  revision: 0,
  position: '1',
  recordedAt: '2026-04-15T12:00:00.000Z',
};

describe('an answer of a newer ledger', () => {
  test.each([
    ['a field that this release does not know', { ...alert, owner: 'lin' }, AlertOut],
    ['a value that this release does not know', { ...alert, kind: 'too-good', state: 'snoozed' }, AlertOut],
    ['a field in one form of a union', { results: [{ ...recorded, shard: '1of1' }] }, BatchResultOut],
  ])('is accepted unchanged with %s', (_, answer, schema) => {
    expect(parseAnswer(client, JSON.stringify(answer), schema)).toEqual(answer);
  });
});

describe('an answer', () => {
  test.each([
    ['without a required field', { ...alert, state: undefined }, AlertOut, /at \/state/],
    ['with a number in place of a text', { ...alert, kind: 1 }, AlertOut, /at \/kind/],
    ['with another value than the only possible one', { status: 'dead' }, LivenessOut, /at \/status/],
    [
      'that matches no form of a union',
      { results: [{ outcome: 'appended' }] },
      BatchResultOut,
      /at \/results\/0/,
    ],
  ])('%s is rejected with a message that names the place', (_, answer, schema, message) => {
    expect(() => parseAnswer(client, JSON.stringify(answer), schema)).toThrow(message);
  });
});
