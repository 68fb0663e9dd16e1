/** Examples of the requests and answers of POST /v1/events: one event of every type. test/http/openapi.test.ts posts them all. */
import { cloudEventType } from '../../domain/facts/cloud-event.ts';
import { FACT_TYPES, type FactType } from '../../domain/facts/fact.ts';
import type { Examples } from '../contract.ts';

/** The summary and the data of each example. */
const BY_TYPE: Readonly<Record<FactType, readonly [summary: string, data?: object]>> = {
  ClusterRegistered: [
    'A cluster exists from now on, and is billed to its account.',
    { accountId: 'globex', name: 'staging', clusterType: 'workload', cloudProvider: 'civo', region: 'fra1' },
  ],
  ClusterChanged: [
    'Attributes change; the others stay as they are.',
    { clusterType: 'physical', labels: { team: 'payments' } },
  ],
  ClusterDeletionRequested: [
    'Somebody asked for the deletion. The bill goes on.',
    { deletionId: 'deletion-7', reason: 'requested in the console' },
  ],
  ClusterDeletionConfirmed: ['The deletion was confirmed. The bill goes on.', { deletionId: 'deletion-7' }],
  ClusterDeletionCancelled: [
    'The deletion was called off.',
    { deletionId: 'deletion-6', reason: 'the customer still needs it' },
  ],
  ClusterDeletionFailed: [
    'The deletion did not succeed. The bill goes on.',
    { deletionId: 'deletion-7', reason: 'a load balancer is still attached' },
  ],
  ClusterDeleted: ['The cluster is gone. This ends the bill.', { reason: 'requested in the console' }],
  ClusterUnreachable: [
    'The cluster does not answer. The bill goes on.',
    { since: '2026-03-03T10:00:00.000Z', evidence: { attempts: 3, code: 'ECONNREFUSED' } },
  ],
  ClusterReachable: ['The cluster answers again.'],
  BillingStopped: [
    'The bill stops for a cause until billing is resumed for the same cause.',
    { cause: 'manual', reason: 'goodwill during the incident' },
  ],
  BillingResumed: ['The bill goes on.', { cause: 'manual' }],
  FactVoided: [
    'A wrong fact no longer counts.',
    { voids: '34ed947f-d61c-5ee8-ae4b-d6b236189bb4', reason: 'posted by mistake' },
  ],
};

function eventOf(type: FactType, index: number) {
  const [, data] = BY_TYPE[type];
  return {
    specversion: '1.0',
    id: `example-${index + 1}`,
    source: '/pro-app',
    type: cloudEventType(type),
    subject: 'c-42',
    time: `2026-03-${String(index + 1).padStart(2, '0')}T09:00:00.000Z`,
    ...(data !== undefined && { data }),
  };
}

/** An event of every type, in structured mode. */
export const EVENT_EXAMPLES: Examples = Object.fromEntries(
  FACT_TYPES.map((type, i) => [type, { summary: BY_TYPE[type][0], value: eventOf(type, i) }]),
);

export const BATCH_EXAMPLES: Examples = {
  registrationAndDeletion: {
    summary: 'Each event has its own result, in order.',
    value: [eventOf('ClusterRegistered', 0), eventOf('ClusterDeleted', 6)],
  },
};

export const DATA_EXAMPLES: Examples = {
  ClusterRegistered: {
    summary: 'Binary mode: the attributes are `ce-…` headers, the body is the data.',
    value: BY_TYPE.ClusterRegistered[1],
  },
};

export const RECORDED_EXAMPLES: Examples = {
  appended: {
    summary: 'The fact is on disk.',
    value: {
      outcome: 'appended',
      eventId: '34ed947f-d61c-5ee8-ae4b-d6b236189bb4',
      clusterId: 'c-42',
      revision: 0,
      position: '1',
      recordedAt: '2026-03-01T09:00:00.512Z',
    },
  },
};
