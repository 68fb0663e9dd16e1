import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import {
  AccountId,
  ClusterId,
  EventId,
  FACT_TYPES,
  type FactType,
  factPayloads,
  parseFact,
  recordedType,
  UnreadableFact,
} from '../../../src/domain/facts/fact.ts';
import { type FactRecord, parseStoredFact, serializeFact } from '../../../src/domain/facts/recorded-fact.ts';
import { clusterOfStream, clusterStream } from '../../../src/domain/stream-table.ts';
import { at } from './facts.ts';

const samples = new URL('samples/', import.meta.url);
const versions = readdirSync(samples);

/** Samples of recorded facts, as the store holds them. They never change: a fact that is readable today must stay readable. */
function sample(version: string, type: string): { type: string; data: Record<string, unknown> } {
  return JSON.parse(readFileSync(new URL(`${version}/${type}.json`, samples), 'utf8'));
}

const typesOf = (version: string) =>
  readdirSync(new URL(`${version}/`, samples)).map((file) => file.replace('.json', '') as FactType);
const v1 = typesOf('v1');
const latestOf = (type: FactType) => `v${recordedType(type).split('.v')[1] ?? 1}`;
const all = versions.flatMap((version) => typesOf(version).map((type) => [version, type] as const));
const latest = FACT_TYPES.map((type) => [type, latestOf(type)] as const);

const messagesOf = (schema: z.ZodType, value: unknown) =>
  schema.safeParse(value).error?.issues.map(({ message }) => message);

describe('a recorded fact', () => {
  test('has a stored sample of version 1 for every type', () => {
    expect([...v1].sort()).toEqual([...FACT_TYPES].sort());
  });

  test('has a stored sample of its latest version', () => {
    for (const [type, version] of latest) {
      expect(versions).toContain(version);
      expect(typesOf(version)).toContain(type);
    }
  });

  test.each(all)('is still readable in version %s of %s', (version, name) => {
    const { type, data } = sample(version, name);
    const { clusterId, effectiveAt, ...payload } = data;
    expect(parseFact('c-7f3a', type, data)).toMatchObject({
      type: name,
      clusterId,
      effectiveAt: at(effectiveAt as string),
      ...(version === latestOf(name) && payload),
    });
  });

  test('may be a notice, whose cause is the deletion', () => {
    const { type, data } = sample('v1', 'BillingStopped');
    expect(parseFact('c-7f3a', type, { ...data, cause: 'deleted' })).toMatchObject({ cause: 'deleted' });
  });

  test('ClusterRegistered of version 1 keeps billable only if it is false', () => {
    const { type, data } = sample('v1', 'ClusterRegistered');
    expect(parseFact('c-7f3a', type, { ...data, billable: true })).not.toHaveProperty('billable');
    expect(parseFact('c-7f3a', type, { ...data, billable: false })).toMatchObject({ billable: false });
  });

  test.each(latest)('has a payload that a producer may post today: %s %s', (name, version) => {
    const { clusterId: _, effectiveAt: __, ...payload } = sample(version, name).data;
    expect(factPayloads[name].parse(payload)).toEqual(payload);
  });

  test.each(latest)('is serialized as it was parsed: %s %s', (name, version) => {
    const { type, data } = sample(version, name);
    const origin = { source: 'https://pro.example', id: 'e1', actor: 'loopback', extensions: { trace: 'x' } };
    const record = serializeFact(parseFact('c-7f3a', type, data), origin);
    expect(record).toEqual({ type, data, metadata: origin });
    expect(parseStoredFact('c-7f3a', record as FactRecord)).toEqual(parseFact('c-7f3a', type, data));
  });
});

describe('a change', () => {
  test('needs at least one attribute', () => {
    expect(factPayloads.ClusterChanged.safeParse({}).success).toBe(false);
    expect(factPayloads.ClusterChanged.parse({ region: 'eu' })).toEqual({ region: 'eu' });
    expect(factPayloads.ClusterChanged.safeParse({ colour: 'red' }).success).toBe(false);
  });
});

describe('an unreadable fact', () => {
  const { type, data } = sample('v1', 'ClusterRegistered');
  const read =
    (recordedAs: string, recorded: unknown, clusterId = 'c-7f3a') =>
    () =>
      parseFact(clusterId, recordedAs, recorded);

  test('says what is wrong with it', () => {
    const errorOf = (attempt: () => unknown) => {
      try {
        return attempt();
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect([
      errorOf(read('ClusterPaused', data)),
      errorOf(read(type, null)),
      errorOf(read(type, { ...data, effectiveAt: 1 })),
      errorOf(read(type, data, 'c-other')),
      errorOf(read('FactVoided', { ...data, voids: 1 })),
    ]).toEqual([
      'fact type ClusterPaused is not known to this release',
      'the data of ClusterRegistered is not an object',
      'ClusterRegistered has no readable effectiveAt',
      'ClusterRegistered names another cluster than its stream',
      'FactVoided lacks what billing needs',
    ]);
    const unreadable = new UnreadableFact('x');
    expect(unreadable.name).toBe('UnreadableFact');
  });

  test.each([
    'ClusterPaused',
    'ClusterPaused.v1',
    'xClusterRegistered.v1',
    ' ClusterRegistered.v1',
    'ClusterRegistered.v1 ',
    'ClusterRegistered.v10',
    'ClusterRegistered.v3',
    'ClusterRegistered.v',
    'toString',
    '',
    'clusterRegistered',
  ])('is one of the unknown type %j', (unknown) => {
    expect(read(unknown, data)).toThrow(UnreadableFact);
  });

  test.each([
    ['whose data are null', 'ClusterRegistered', null],
    ['whose data are text', 'ClusterRegistered', 'x'],
    ['without effectiveAt', 'ClusterRegistered', { ...data, effectiveAt: undefined }],
    [
      'with effectiveAt in another form',
      'ClusterRegistered',
      { ...data, effectiveAt: '2026-01-31T08:00:00Z' },
    ],
    ['with effectiveAt as a number', 'ClusterRegistered', { ...data, effectiveAt: 1 }],
    ['that registers to no account', 'ClusterRegistered', { ...data, accountId: undefined }],
    ['whose billable is not a boolean', 'ClusterChanged', { ...data, billable: 'yes' }],
    ['whose clusterType is not text', 'ClusterChanged', { ...data, clusterType: 7 }],
    ['that stops for an unknown cause', 'BillingStopped', { ...data, cause: 'weather' }],
    ['that resumes for no cause', 'BillingResumed', { ...data, cause: undefined }],
    ['that voids nothing', 'FactVoided', { ...data, voids: undefined }],
  ])('is one %s', (_, recordedAs, recorded) => {
    expect(read(recordedAs, recorded)).toThrow(UnreadableFact);
  });

  test('is one that names another cluster than its stream', () => {
    expect(read(type, data, 'c-other')).toThrow(UnreadableFact);
  });
});

describe('a stream', () => {
  test('is named after its cluster', () => {
    expect(clusterOfStream(clusterStream('c1'))).toBe('c1');
  });

  test.each(['rejected-events', 'period-2026-01', 'Cluster-c1', ''])(
    '%j is not the stream of a cluster',
    (stream) => {
      expect(clusterOfStream(stream)).toBeUndefined();
    },
  );
});

describe('ids', () => {
  test.each(['c', 'C-1', '0', 'a.b_c-d', 'x'.repeat(128)])('%j may be the id of a cluster', (id) => {
    expect(ClusterId.safeParse(id).success).toBe(true);
  });

  test.each(['', '-c', '.c', '_c', 'a b', 'a/b', 'ä', 'a\n', 'x'.repeat(129), '~c', '$c', 'a:b'])(
    '%j may not be the id of a cluster',
    (id) => {
      expect(ClusterId.safeParse(id).success).toBe(false);
    },
  );

  test.each(['acme', '_free', 'user:1', 'me@example.com', '4711'])('%j may be the id of an account', (id) => {
    expect(AccountId.safeParse(id).success).toBe(true);
  });

  test.each(['', '@me', '=cmd()', '+1', '-1', 'a b', 'a/b', 'x'.repeat(129)])(
    '%j may not be the id of an account',
    (id) => {
      expect(AccountId.safeParse(id).success).toBe(false);
    },
  );

  test('a UUID in lower case may be the id of an event', () => {
    expect(EventId.safeParse('0b6f7f5e-6d0c-5a55-9d8b-0c3a54f0f0a1').success).toBe(true);
  });

  test.each([
    '0b6f7f5e-6d0c-5a55-9d8b-0c3a54f0f0a1x',
    'x0b6f7f5e-6d0c-5a55-9d8b-0c3a54f0f0a1',
    'e1',
    '0B6F7F5E-6D0C-5A55-9D8B-0C3A54F0F0A1',
    '0b6f7f5e6d0c5a559d8b0c3a54f0f0a1',
    '',
  ])('%j may not be the id of an event', (id) => {
    expect(EventId.safeParse(id).success).toBe(false);
  });
});

describe('a registration', () => {
  const { accountId, name } = { accountId: 'acme', name: 'one' };
  const accepts = (payload: object) => factPayloads.ClusterRegistered.safeParse(payload).success;

  test('contains billable only if it was posted', () => {
    expect(factPayloads.ClusterRegistered.parse({ accountId, name })).not.toHaveProperty('billable');
    expect(factPayloads.ClusterRegistered.parse({ accountId, name, billable: false }).billable).toBe(false);
  });

  test.each([
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln',
    'argocd cluster',
    '-----BEGIN PRIVATE KEY-----\nMIIE',
    'https://user:pass word@host',
  ])('is invalid if its connection looks like a credential: %j', (connection) => {
    expect(accepts({ accountId, name, connection })).toBe(false);
  });

  test('may have 64 labels, and a connection that begins like a credential but has no dot', () => {
    const labels = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`l${i}`, 'x'.repeat(256)]));
    expect(accepts({ accountId, name, labels, connection: 'eyJust/a-name' })).toBe(true);
    expect(accepts({ accountId, name, connection: 'argocd/eyJhbGciOiJIUzI1NiJ9.eyJ' })).toBe(true);
    expect(accepts({ accountId, name, connection: 'eyIhbGciOiJIUzI1NiJ9.eyJ' })).toBe(false);
  });

  test('says what each field must be, if it is invalid', () => {
    const { error } = factPayloads.ClusterRegistered.safeParse({
      accountId: '',
      name: 'bell\u0007',
      labels: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`l${i}`, 'x'])),
      connection: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln',
    });
    expect(error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`).sort()).toEqual([
      'accountId must be 1 to 128 of A-Z a-z 0-9 . _ : @ - and begin with a letter, digit or _',
      'connection must be a reference to a credential, not a credential',
      'labels must be at most 64 labels',
      'name must be text without control characters',
    ]);
    expect(messagesOf(ClusterId, '')).toEqual([
      'must be 1 to 128 of A-Z a-z 0-9 . _ - and begin with a letter or digit',
    ]);
    expect(messagesOf(EventId, '')).toEqual(['must be an event id of this ledger: a UUID in lower case']);
    expect(messagesOf(factPayloads.ClusterUnreachable, { since: 'now' })).toEqual([
      'must be YYYY-MM-DDTHH:MM:SS.mmmZ',
    ]);
    expect(messagesOf(factPayloads.ClusterChanged, {})).toEqual([
      'must have at least one of accountId, name, clusterType, cloudProvider, region, labels, billable, connection',
    ]);
    expect(messagesOf(factPayloads.ClusterChanged, { connection: 'a b' })).toEqual([
      'must be a reference of 1 to 253 of A-Z a-z 0-9 . _ / : @ -',
    ]);
  });

  test.each([
    { labels: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`l${i}`, 'x'])) },
    { labels: { 'a b': 'x' } },
    { labels: { a: 'x'.repeat(257) } },
    { labels: { a: 1 } },
    { name: '' },
    { name: 'two\nlines' },
    { name: 'bell\u0007' },
    { name: 'half \ud800' },
    { name: 'x'.repeat(254) },
    { region: '' },
    { billable: 'true' },
    { billable: null },
    { price: 1 },
  ])('must not contain %j', (more) => {
    expect(accepts({ accountId, name, ...more })).toBe(false);
  });
});

describe('an observation', () => {
  const accepts = (since: string) => factPayloads.ClusterUnreachable.safeParse({ since }).success;

  test('has since in the form that the ledger records', () => {
    expect(accepts('2026-01-31T08:00:00.000Z')).toBe(true);
    expect(accepts('2026-01-31T08:00:00Z')).toBe(false);
  });

  test.each(['2026-02-30T00:00:00.000Z', '2026-13-01T00:00:00.000Z', '2026-01-01T99:99:99.999Z'])(
    'cannot have since %s, which does not exist',
    (since) => {
      expect(accepts(since)).toBe(false);
    },
  );
});
