import type { Fact, FactType } from '../../domain/facts/fact.ts';
import type { Origin } from '../../domain/facts/recorded-fact.ts';
import { formatInstant } from '../../domain/time.ts';

/** An event as the Pro app posts it: CloudEvents 1.0, structured mode. */
export function cloudEventOf(fact: Fact, { source, id }: Pick<Origin, 'source' | 'id'>) {
  const { type, clusterId, effectiveAt, ...data } = fact;
  return {
    specversion: '1.0',
    id,
    source,
    type: `io.clusterledger.${nameOf(type)}.v1`,
    subject: clusterId,
    time: formatInstant(effectiveAt),
    data,
  };
}

/** `ClusterDeletionRequested` is `cluster.deletion-requested`. */
function nameOf(type: FactType): string {
  const [subject, ...verb] = type.split(/(?=[A-Z])/).map((word) => word.toLowerCase());
  return `${subject}.${verb.join('-')}`;
}
