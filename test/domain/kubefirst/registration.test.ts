import { describe, expect, test } from 'vitest';
import {
  accountOf,
  connectionOf,
  connectionTemplate,
  isPublicSuffix,
  KubefirstPolicy,
  registrationOf,
} from '../../../src/domain/kubefirst/registration.ts';

const POLICY = KubefirstPolicy.parse({});
const nothing = {
  managementId: 'mmmmmm',
  kubefirstId: 'wwwwww',
  name: undefined,
  clusterType: undefined,
  cloudProvider: undefined,
  region: undefined,
  domain: undefined,
};

describe('the settings of registrations', () => {
  test('have defaults for all but the account', () => {
    expect(POLICY).toEqual({
      accountsByManagementId: {},
      accountsByDomain: {},
      freeClusterTypes: ['mgmt', 'bootstrap'],
      connection: 'argocd:argocd/{name}',
    });
  });

  const name = (length: number) => 'n'.repeat(length);
  test.each([
    ['an account', { accountId: 'acme' }, { accountId: '' }],
    [
      'an account for a management cluster',
      { accountsByManagementId: { m1: 'acme' } },
      { accountsByManagementId: { m1: '' } },
    ],
    [
      'the id of a management cluster',
      { accountsByManagementId: { [name(32)]: 'acme' } },
      { accountsByManagementId: { [name(33)]: 'acme' } },
    ],
    [
      'an account for a domain',
      { accountsByDomain: { 'acme.example': 'acme' } },
      { accountsByDomain: { 'acme.example': '' } },
    ],
    [
      'a domain',
      { accountsByDomain: { [`${name(251)}.x`]: 'acme' } },
      { accountsByDomain: { [`${name(252)}.x`]: 'acme' } },
    ],
    ['a free cluster type', { freeClusterTypes: ['n'] }, { freeClusterTypes: [''] }],
    ['a long free cluster type', { freeClusterTypes: [name(64)] }, { freeClusterTypes: [name(65)] }],
    ['a connection', { connection: 'n' }, { connection: '' }],
    ['a long connection', { connection: name(253) }, { connection: name(254) }],
    ['no connection', { connection: null }, { connections: null }],
  ])('accept %s, and nothing beyond its limit', (_, accepted, refused) => {
    expect(KubefirstPolicy.safeParse(accepted).data).toEqual({ ...POLICY, ...accepted });
    expect(KubefirstPolicy.safeParse(refused).success).toBe(false);
  });
});

describe('a public suffix', () => {
  test.each(['com', 'example', ''])('is a domain of one label: "%s"', (domain) => {
    expect(isPublicSuffix(domain)).toBe(true);
  });

  test.each(['ac', 'co', 'com', 'edu', 'go', 'gob', 'gov', 'ne', 'net', 'nom', 'or', 'org'])(
    'is a label for anybody below a country: %s.uk',
    (label) => {
      expect(isPublicSuffix(`${label}.uk`)).toBe(true);
    },
  );

  test.each(['acme.uk', 'co.com', 'acme.co.uk', 'co.uk.acme', 'co.uk.de', '.uk'])('is not %s', (domain) => {
    expect(isPublicSuffix(domain)).toBe(false);
  });
});

describe('the account of a cluster', () => {
  const policy = KubefirstPolicy.parse({
    accountId: 'everybody',
    accountsByManagementId: { mmmmmm: 'by-management' },
    accountsByDomain: {
      'k8s.acme.com': 'acme',
      'dev.acme.com': 'acme',
      'a.shared.org': 'a',
      'b.shared.org': 'b',
    },
  });
  const account = (managementId: string, domain?: string, from = policy) =>
    accountOf(from, managementId, domain);

  test.each([
    ['of its management cluster, whatever its domain is', 'mmmmmm', 'k8s.acme.com', 'by-management'],
    ['of its domain', 'xxxxxx', 'k8s.acme.com', 'acme'],
    ['of a domain above its own', 'xxxxxx', 'eu.prod.k8s.acme.com', 'acme'],
    ['of the domains that telemetry cuts to its own, if they have one account', 'xxxxxx', 'acme.com', 'acme'],
    [
      'of everybody if the domains that telemetry cuts have several accounts',
      'xxxxxx',
      'shared.org',
      'everybody',
    ],
    ['of everybody for another domain', 'xxxxxx', 'other.com', 'everybody'],
    ['of everybody for a domain beside a configured one', 'xxxxxx', 'xk8s.acme.com', 'everybody'],
    ['of everybody for a domain that everybody may share', 'xxxxxx', 'com', 'everybody'],
    ['of everybody without a domain', 'xxxxxx', undefined, 'everybody'],
  ])('is the one %s', (_, managementId, domain, expected) => {
    expect(account(managementId, domain)).toBe(expected);
  });

  test('is the id of the management cluster if no rule applies', () => {
    expect(account('xxxxxx', 'acme.com', POLICY)).toBe('xxxxxx');
    expect(account('xxxxxx', undefined, POLICY)).toBe('xxxxxx');
  });
});

describe('the payload of a registration', () => {
  test('omits all that is unknown, and names the cluster by its id', () => {
    expect(registrationOf(POLICY, nothing)).toEqual({ accountId: 'mmmmmm', name: 'wwwwww', billable: true });
    expect(Object.keys(registrationOf(POLICY, nothing))).toEqual(['accountId', 'name', 'billable']);
  });

  test('has all that a record says', () => {
    const one = {
      ...nothing,
      name: 'one',
      clusterType: 'workload-cluster',
      cloudProvider: 'civo',
      region: 'FRA1',
      domain: 'one.acme.example',
      recordsIn: 'eu',
    };
    expect(registrationOf(POLICY, one)).toEqual({
      accountId: 'mmmmmm',
      name: 'one',
      clusterType: 'workload-cluster',
      cloudProvider: 'civo',
      region: 'FRA1',
      labels: { 'kubefirst/domain': 'one.acme.example', 'kubefirst/records': 'eu' },
      billable: true,
      connection: 'argocd:argocd/one',
    });
  });

  test('has a label for the domain or the place of the records, if only one is known', () => {
    expect(registrationOf(POLICY, { ...nothing, domain: 'acme.example' })).toMatchObject({
      labels: { 'kubefirst/domain': 'acme.example' },
    });
    const { labels } = registrationOf(POLICY, { ...nothing, recordsIn: 'eu' });
    expect(Object.entries(labels ?? {})).toEqual([['kubefirst/records', 'eu']]);
  });

  test.each([
    ['mgmt', false],
    ['bootstrap', false],
    ['workload', true],
  ])('says for the type %s whether it is billable: %s', (clusterType, billable) => {
    expect(registrationOf(POLICY, { ...nothing, clusterType })).toMatchObject({ clusterType, billable });
  });

  test('has no connection for a free cluster', () => {
    const free = { ...nothing, name: 'kubefirst', clusterType: 'mgmt' };
    expect(Object.keys(registrationOf(POLICY, free))).toEqual([
      'accountId',
      'name',
      'clusterType',
      'billable',
    ]);
  });
});

describe('the connection of a cluster', () => {
  const billed = { name: 'one', clusterType: 'workload' };

  test('has the name wherever the setting asks for it', () => {
    expect(connectionOf(POLICY, billed)).toBe('argocd:argocd/one');
    const twice = { ...POLICY, connection: 'capi:{name}/{name}' };
    expect(connectionOf(twice, billed)).toBe('capi:one/one');
    expect(connectionOf(POLICY, { ...billed, clusterType: undefined })).toBe('argocd:argocd/one');
  });

  test('is unknown without a name, for a free cluster, or if the setting is null', () => {
    expect(connectionOf(POLICY, { ...billed, name: undefined })).toBeUndefined();
    expect(connectionOf(POLICY, { ...billed, clusterType: 'mgmt' })).toBeUndefined();
    expect(connectionOf({ ...POLICY, connection: null }, billed)).toBeUndefined();
  });
});

describe('the connection setting for the records of one management cluster', () => {
  test.each([
    ['is the default Secret in it', 'argocd:argocd/{name}', 'eu', 'argocd:eu/argocd/{name}'],
    ['has its name for {records}', 'capi:{records}/{records}-{name}', 'eu', 'capi:eu/eu-{name}'],
    ['stays as it is without {records}', 'capi:clusters/{name}', 'eu', 'capi:clusters/{name}'],
    [
      'stays as it is if the management cluster has no name',
      'argocd:argocd/{name}',
      undefined,
      'argocd:argocd/{name}',
    ],
    ['stays null', null, 'eu', null],
  ])('%s', (_, setting, managementCluster, expected) => {
    expect(connectionTemplate(setting, managementCluster)).toBe(expected);
  });
});
