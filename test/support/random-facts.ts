import fc from 'fast-check';
import type { CAUSES, Fact } from '../../src/domain/facts/fact.ts';
import type { OracleFact } from '../oracle/oracle.ts';

/** Relative frequency of each kind of fact; a kind without a weight does not occur. */
export interface Weights {
  readonly registered: number;
  /** Changes of the account, of `billable` and of the type, sometimes all at once. */
  readonly changed: number;
  readonly deleted: number;
  readonly switched: number;
  /** Facts without effect on the bill. */
  readonly observed: number;
  readonly voided: number;
}

/** The values among which random facts choose. */
export interface FactChoices {
  readonly clusterId: fc.Arbitrary<string>;
  readonly effectiveAt: fc.Arbitrary<number>;
  /** Returns the account that a registration of the given cluster names. */
  readonly ownerOf: (clusterId: string) => fc.Arbitrary<string>;
  /** The accounts that changes transfer clusters to. */
  readonly newOwner: fc.Arbitrary<string>;
  readonly cause: fc.Arbitrary<(typeof CAUSES)[number] | 'deleted'>;
  readonly observation: fc.Arbitrary<Observation>;
  /** The id that a void names. A test may replace it with an event id of its history. */
  readonly voids: fc.Arbitrary<string>;
  readonly weights: Weights;
}

export type Observation =
  | 'ClusterUnreachable'
  | 'ClusterReachable'
  | 'ClusterDeletionRequested'
  | 'ClusterDeletionConfirmed'
  | 'ClusterDeletionCancelled'
  | 'ClusterDeletionFailed';

/** Returns one random fact at a time. The order of a list of them is the order of recording, unrelated to `effectiveAt`. */
export function randomFacts(choices: FactChoices): fc.Arbitrary<Fact> {
  const { clusterId, effectiveAt, ownerOf, newOwner, cause, observation, voids, weights } = choices;
  const common = { clusterId, effectiveAt };
  // Attributes are often left out: a registration is then billable, and a change keeps the value.
  const attributes = {
    billable: fc.constantFrom(true, true, false),
    clusterType: fc.constantFrom('vcluster', 'workload'),
    labels: fc.constantFrom({ team: 'a' }, { team: 'b' }, { tier: 'gold' }),
  };
  const region = fc.constantFrom('eu-1', 'us-1');
  const registrations = fc.record(common).chain((fact) =>
    fc.record(
      {
        clusterId: fc.constant(fact.clusterId),
        effectiveAt: fc.constant(fact.effectiveAt),
        type: fc.constant('ClusterRegistered' as const),
        accountId: ownerOf(fact.clusterId),
        name: fc.constant('one'),
        region,
        ...attributes,
      },
      { requiredKeys: ['clusterId', 'effectiveAt', 'type', 'accountId', 'name'] },
    ),
  );
  const changes = fc.record(
    {
      ...common,
      type: fc.constant('ClusterChanged' as const),
      region,
      accountId: newOwner,
      ...attributes,
    },
    { requiredKeys: ['clusterId', 'effectiveAt', 'type', 'region'] },
  );
  const all: { weight: number; arbitrary: fc.Arbitrary<Fact> }[] = [
    { weight: weights.registered, arbitrary: registrations },
    { weight: weights.changed, arbitrary: changes },
    {
      weight: weights.deleted,
      arbitrary: fc.record({ ...common, type: fc.constant('ClusterDeleted' as const) }),
    },
    {
      weight: weights.switched,
      arbitrary: fc.record({
        ...common,
        type: fc.constantFrom('BillingStopped' as const, 'BillingResumed' as const),
        cause,
      }),
    },
    { weight: weights.observed, arbitrary: fc.record({ ...common, type: observation }) },
    {
      weight: weights.voided,
      arbitrary: fc.record({
        ...common,
        type: fc.constant('FactVoided' as const),
        voids,
        reason: fc.constant('a mistake'),
      }),
    },
  ];
  return fc.oneof(...all.filter(({ weight }) => weight > 0));
}

/** Returns a fact as the oracle takes it. */
export function oracleFact(fact: Fact, eventId: string, position: number): OracleFact {
  return { ...fact, eventId, position, effectiveAt: BigInt(fact.effectiveAt) };
}
