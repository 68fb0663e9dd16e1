import { describe, expect, test } from 'vitest';
import { RECORD_FIELDS, readRecord } from '../../../src/domain/kubefirst/cluster-record.ts';

const CREATED = 1_769_850_000_000;
const required = { cluster_id: 'mmmmmm', cluster_name: 'kubefirst' };
const management = { ...required, cluster_type: 'mgmt' };
const readOne = (input: object) => readRecord('r', input).records[0];

test('only the fields of a record that the ledger reads are taken from its Secret', () => {
  expect(RECORD_FIELDS).toEqual([
    'cluster_id',
    'cluster_name',
    'cluster_type',
    'status',
    'cloud_provider',
    'cloud_region',
    'domain_name',
    'creation_timestamp',
    'workload_clusters',
  ]);
});

describe('a record', () => {
  test('is read with its properties and those of its workload clusters, and without credentials', () => {
    const workload = {
      cluster_id: 'wwwwww',
      cluster_name: 'one',
      cluster_type: 'workload-cluster',
      status: 'provisioning',
      cloud_provider: 'civo',
      cloud_region: 'FRA1',
      domain_name: 'one.acme.example',
      creation_timestamp: '1769850000',
      git_auth: { git_token: 'secret' },
    };
    const input = { ...management, civo_auth: { token: 'secret' }, workload_clusters: [workload] };
    expect(readRecord('r', input)).toEqual({
      records: [
        { managementId: 'mmmmmm', kubefirstId: 'mmmmmm', name: 'kubefirst', clusterType: 'mgmt' },
        {
          managementId: 'mmmmmm',
          kubefirstId: 'wwwwww',
          name: 'one',
          clusterType: 'workload-cluster',
          status: 'provisioning',
          cloudProvider: 'civo',
          region: 'FRA1',
          domain: 'one.acme.example',
          createdAt: CREATED,
        },
      ],
      unusable: [],
    });
  });

  test('is its own management cluster if it is one, also among the workload clusters of another', () => {
    const inner = { ...management, cluster_id: 'nnnnnn' };
    const { records } = readRecord('r', { ...management, workload_clusters: [inner] });
    expect(records.map(({ managementId }) => managementId)).toEqual(['mmmmmm', 'nnnnnn']);
  });

  test.each([null, []])('need not have workload clusters: %j', (workload_clusters) => {
    const { records, unusable } = readRecord('r', { ...management, workload_clusters });
    expect([records.length, unusable]).toEqual([1, []]);
  });

  test('is unusable without an id or a name in the right form, and the field at fault is named', () => {
    const unusable = (input: unknown) => readRecord('r', input);
    expect(unusable({ ...required, cluster_id: 'no id' })).toEqual({
      records: [],
      unusable: [{ name: 'r', field: 'cluster_id' }],
    });
    expect(unusable({ ...required, workload_clusters: {} }).unusable).toEqual([
      { name: 'r', field: 'workload_clusters' },
    ]);
    expect(unusable('text').unusable).toEqual([{ name: 'r', field: 'record' }]);
  });

  test.each(['k', 'k8', 'kubefirst', 'a.b-c', 'n'.repeat(63)])('can have the name %s', (cluster_name) => {
    expect(readOne({ ...required, cluster_name })?.name).toBe(cluster_name);
  });

  test.each(['', 'Kubefirst', '-k', 'k-', '.k', 'k_8', 'k 8', 'n'.repeat(64)])(
    'cannot have the name "%s"',
    (cluster_name) => {
      expect(readRecord('r', { ...required, cluster_name }).unusable).toEqual([
        { name: 'r', field: 'cluster_name' },
      ]);
    },
  );

  test.each([
    ['cluster_type', 'clusterType', 64],
    ['cloud_provider', 'cloudProvider', 64],
    ['cloud_region', 'region', 64],
    ['domain_name', 'domain', 253],
  ] as const)('has a %s only if it is a line of text that is not too long', (field, property, max) => {
    const longest = 'n'.repeat(max);
    expect(readOne({ ...required, [field]: longest })?.[property]).toBe(longest);
    for (const none of [`n${longest}`, '', null, 17, 'two\nlines'])
      expect(readOne({ ...required, [field]: none })?.[property]).toBeUndefined();
  });

  test.each(['provisioning', 'provisioned', 'error', 'deleting', 'deleted'])('can be %s', (status) => {
    expect(readOne({ ...required, status })?.status).toBe(status);
  });

  test.each(['hibernating', '', null, 17])('is read without a status if it is unknown: %s', (status) => {
    expect(readOne({ ...required, status })).toMatchObject({ name: 'kubefirst', status: undefined });
  });

  const created = (creation_timestamp: unknown) => readOne({ ...management, creation_timestamp })?.createdAt;

  test.each([
    ['1769850000', CREATED],
    ['1769850000123', CREATED + 123],
    [1_769_850_000, CREATED],
    [1_769_850_000_123, CREATED + 123],
    [1, 1_000],
    [9_999_999_999, 9_999_999_999_000],
    [10_000_000_000, 10_000_000_000],
    [253_402_300_799_999, 253_402_300_799_999],
  ])('has its creation in seconds of at most ten digits or in milliseconds: %s', (timestamp, instant) => {
    expect(created(timestamp)).toBe(instant);
  });

  test.each([
    undefined,
    null,
    '',
    '0',
    '17698',
    'yesterday',
    '-1769850000',
    '11769850000',
    '17698500001234',
    '9'.repeat(40),
    0,
    -1,
    1.5,
    253_402_300_800_000,
    {},
  ])('has no time of creation if it has another form: %s', (timestamp) => {
    expect(created(timestamp)).toBeUndefined();
  });

  test('contains workload clusters of its management cluster, of which a virtual one may share its id', () => {
    const workload_clusters = [
      { cluster_id: 'mmmmmm', cluster_name: 'development', cluster_type: 'workload-vcluster' },
      { cluster_id: 'no id', cluster_name: 'x' },
      17,
    ];
    const { records, unusable } = readRecord('r', { ...management, workload_clusters });
    expect(records.map(({ managementId, kubefirstId, name }) => [managementId, kubefirstId, name])).toEqual([
      ['mmmmmm', 'mmmmmm', 'kubefirst'],
      ['mmmmmm', 'mmmmmm', 'development'],
    ]);
    expect(unusable).toEqual([
      { name: 'r/workload_clusters/1', field: 'cluster_id' },
      { name: 'r/workload_clusters/2', field: 'record' },
    ]);
  });
});
