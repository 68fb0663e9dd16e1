import type { Instant } from '../time.ts';
import type { ClusterRecord, UnusableRecord } from './cluster-record.ts';

/** Names of the Secrets in which Kubefirst keeps its records: an index, and one Secret per cluster. */
export const INDEX_SECRET = 'kubefirst-clusters';
export const RECORD_SECRET_PREFIX = 'kubefirst-cluster-';

/** The kept part of a Secret of Kubefirst. Everything else in the Secret is dropped. */
export type KubefirstSecret =
  | { readonly kind: 'index'; readonly names: readonly string[] }
  | {
      readonly kind: 'record';
      readonly name: string;
      readonly records: readonly ClusterRecord[];
      readonly unusable: readonly UnusableRecord[];
      /** Time of the last change, by the clock of the management cluster, to the second. */
      readonly changedAt: Instant | undefined;
    };

/** A step of following the Secrets of a namespace, in order. */
export type Step<T> =
  /** The complete list. Earlier items that are not in it are gone. */
  | { readonly kind: 'listed'; readonly items: ReadonlyMap<string, T> }
  | { readonly kind: 'changed'; readonly name: string; readonly item: T }
  | { readonly kind: 'gone'; readonly name: string }
  /** Reading works again, and nothing was missed. */
  | { readonly kind: 'resumed' }
  /** Reading fails. The follower retries on its own. */
  | { readonly kind: 'unreadable'; readonly why: string };

/** A step of following the records of a management cluster. */
export type RecordStep = Step<KubefirstSecret>;

/** Returns the name of the record in the name of its Secret; `undefined` for the index. */
export function recordOfSecret(secretName: string): string | undefined {
  return secretName === INDEX_SECRET ? undefined : secretName.slice(RECORD_SECRET_PREFIX.length);
}
