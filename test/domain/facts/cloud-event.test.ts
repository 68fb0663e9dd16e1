import { describe, expect, test } from 'vitest';
import {
  API_SOURCE,
  CLOUD_EVENT_TYPES,
  cloudEventType,
  factToCloudEvent,
  factTypeOf,
  LEDGER_SOURCE,
} from '../../../src/domain/facts/cloud-event.ts';
import { FACT_TYPES, recordedFactType, recordedType } from '../../../src/domain/facts/fact.ts';
import { originOf } from '../../../src/domain/facts/recorded-fact.ts';
import { registered } from './facts.ts';

describe('the name of a fact type in CloudEvents', () => {
  // Producers and receivers have these names in their code.
  test('never changes', () => {
    expect(Object.fromEntries(FACT_TYPES.map((type) => [type, cloudEventType(type)]))).toEqual({
      ClusterRegistered: 'io.clusterledger.cluster.registered.v1',
      ClusterChanged: 'io.clusterledger.cluster.changed.v1',
      ClusterDeletionRequested: 'io.clusterledger.cluster.deletion-requested.v1',
      ClusterDeletionConfirmed: 'io.clusterledger.cluster.deletion-confirmed.v1',
      ClusterDeletionCancelled: 'io.clusterledger.cluster.deletion-cancelled.v1',
      ClusterDeletionFailed: 'io.clusterledger.cluster.deletion-failed.v1',
      ClusterDeleted: 'io.clusterledger.cluster.deleted.v1',
      ClusterUnreachable: 'io.clusterledger.cluster.unreachable.v1',
      ClusterReachable: 'io.clusterledger.cluster.reachable.v1',
      BillingStopped: 'io.clusterledger.billing.stopped.v1',
      BillingResumed: 'io.clusterledger.billing.resumed.v1',
      FactVoided: 'io.clusterledger.fact.voided.v1',
    });
    expect(CLOUD_EVENT_TYPES).toEqual(FACT_TYPES.map(cloudEventType));
  });

  test('leads back to its type, and no other name to any', () => {
    for (const type of FACT_TYPES) expect(factTypeOf(cloudEventType(type))).toBe(type);
    expect(factTypeOf('io.clusterledger.cluster.paused.v1')).toBeUndefined();
    expect(factTypeOf('ClusterRegistered')).toBeUndefined();
  });
});

test('the events of the ledger itself name it as their source, and those of a command its API', () => {
  expect([LEDGER_SOURCE, API_SOURCE]).toEqual(['urn:cluster-ledger', 'urn:cluster-ledger:api']);
});

test('a fact is posted as a CloudEvent about its cluster, at its effective time', () => {
  const { clusterId, effectiveAt: _, type: __, ...data } = registered('2026-01-02');
  expect(factToCloudEvent(registered('2026-01-02'), { source: 'urn:test', id: 'e1' })).toEqual({
    specversion: '1.0',
    id: 'e1',
    source: 'urn:test',
    type: 'io.clusterledger.cluster.registered.v1',
    subject: clusterId,
    time: '2026-01-02T00:00:00.000Z',
    data,
  });
});

describe('the name under which a fact is recorded', () => {
  test('leads back to its type, in every version', () => {
    for (const type of FACT_TYPES) {
      expect(recordedFactType(recordedType(type))).toBe(type);
      expect(recordedFactType(type)).toBe(type);
      expect(recordedFactType(`${type}.v12`)).toBe(type);
    }
  });

  test.each(['ClusterPaused', 'ClusterRegistered.v2x', 'Cluster.v2Registered', 'toString'])(
    'is not %s',
    (name) => {
      expect(recordedFactType(name)).toBeUndefined();
    },
  );
});

test('the origin of a stored fact is what was stored with it', () => {
  const metadata = { source: 'urn:test', id: 'e1', actor: 'tester' };
  expect(originOf({ type: 'ClusterDeleted', data: {}, metadata })).toEqual(metadata);
});
