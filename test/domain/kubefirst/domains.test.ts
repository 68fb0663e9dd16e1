import { describe, expect, test } from 'vitest';
import type { KnownCluster } from '../../../src/domain/kubefirst/identity.ts';
import { clusterOfRecord } from '../../../src/domain/kubefirst/plan-record.ts';
import { accountOf, KubefirstPolicy } from '../../../src/domain/kubefirst/registration.ts';

const CREATED = Date.parse('2026-04-01T00:00:00Z');
const fromTelemetry = (domain: string, clusterType = 'mgmt'): KnownCluster => ({
  clusterId: 'zon001.zon001.-.1775001700',
  managementId: 'zon001',
  kubefirstId: 'zon001',
  name: undefined,
  createdSecond: 1_775_001_700,
  accountId: 'acme',
  billable: false,
  clusterType,
  domain,
  recordsIn: undefined,
  registeredAt: CREATED + 100_000,
  deletedAt: undefined,
});
const record = (domain: string, clusterType = 'mgmt') => ({
  managementId: 'zon001',
  kubefirstId: 'zon001',
  name: 'zoned',
  clusterType,
  status: 'provisioned' as const,
  cloudProvider: 'civo',
  region: undefined,
  domain,
  createdAt: CREATED,
});
const adopted = (known: KnownCluster, found: ReturnType<typeof record>) =>
  clusterOfRecord(found, [known], CREATED + 1_000_000).cluster?.clusterId === known.clusterId;

describe('one platform from telemetry and records', () => {
  test.each(['k8s.customer.com', 'a.b.customer.com', 'customer.com', 'platform.customer.co.uk'])(
    'is one cluster, although telemetry cuts the domain to two labels: %s',
    (domain) => {
      const cut = domain.split('.').slice(-2).join('.');
      expect(adopted(fromTelemetry(cut), record(domain))).toBe(true);
    },
  );

  test('is one cluster by the id alone if both are the management cluster', () => {
    expect(adopted(fromTelemetry('other.example'), record('k8s.customer.com'))).toBe(true);
    const virtual = record('k8s.customer.com', 'workload-vcluster');
    expect(adopted(fromTelemetry('other.example', 'workload-vcluster'), virtual)).toBe(false);
  });
});

describe('accounts by domain', () => {
  const policy = (accountsByDomain: Record<string, string>) => KubefirstPolicy.parse({ accountsByDomain });

  test('match the whole domain and the one that telemetry sends', () => {
    const one = policy({ 'k8s.customer.com': 'customer' });
    for (const domain of ['k8s.customer.com', 'x.k8s.customer.com', 'customer.com'])
      expect(accountOf(one, 'm1', domain)).toBe('customer');
    const two = policy({ 'a.customer.com': 'a', 'b.customer.com': 'b' });
    expect(accountOf(two, 'm1', 'customer.com')).toBe('m1');
    expect(accountOf(policy({ 'customer.co.uk': 'customer' }), 'm1', 'co.uk')).toBe('m1');
  });

  test.each(['com', 'co.uk', 'com.au'])('refuse a public suffix: %s', (domain) => {
    expect(() => policy({ [domain]: 'customer' })).toThrow('public suffix');
  });
});
