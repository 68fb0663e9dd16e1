import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { Endpoint } from './rpc-errors.ts';

/** A node as gossip shows it. */
export interface Member extends Endpoint {
  readonly state: 'leader' | 'follower' | 'read-only replica' | 'unknown';
  readonly isAlive: boolean;
}

const { VNodeState } = gossip.MemberInfo;

const STATES = {
  leader: VNodeState.LEADER,
  follower: VNodeState.FOLLOWER,
  'read-only replica': VNodeState.READONLYREPLICA,
  unknown: VNodeState.UNKNOWN,
};

const SERVER_VERSION = '23.10.6';

const STREAMS = 'event_store.client.streams.streams';
const PERSISTENT = 'event_store.client.persistent_subscriptions.persistentsubscriptions';

/** The methods and features that a 23.10 server reports and the client asks for: service, method, features. */
const METHODS: readonly (readonly [service: string, method: string, features: string[]])[] = [
  [STREAMS, 'read', ['position', 'events']],
  [STREAMS, 'append', []],
  [STREAMS, 'delete', []],
  [STREAMS, 'tombstone', []],
  [STREAMS, 'batchappend', ['deadline_duration']],
  ...['create', 'update', 'delete', 'read', 'getinfo', 'replayparked', 'list', 'restartsubsystem'].map(
    (method): [string, string, string[]] => [PERSISTENT, method, ['stream', 'all']],
  ),
];

export function supportedMethods(): features.SupportedMethods {
  const message = new features.SupportedMethods().setEventStoreServerVersion(SERVER_VERSION);
  for (const [service, method, names] of METHODS) {
    message.addMethods(
      new features.SupportedMethod().setServiceName(service).setMethodName(method).setFeaturesList(names),
    );
  }
  return message;
}

/** The answer of a node to a question about the cluster. */
export function clusterInfo(members: readonly Member[]): gossip.ClusterInfo {
  const message = new gossip.ClusterInfo();
  for (const { host, port, state, isAlive } of members) {
    message.addMembers(
      new gossip.MemberInfo()
        .setInstanceId(new shared.UUID().setString(instanceIdOf(port)))
        .setTimeStamp((BigInt(Date.now()) * 10_000n).toString())
        .setState(STATES[state])
        .setIsAlive(isAlive)
        .setHttpEndPoint(new gossip.EndPoint().setAddress(host).setPort(port)),
    );
  }
  return message;
}

const instanceIdOf = (port: number): string => `00000000-0000-4000-8000-${String(port).padStart(12, '0')}`;
