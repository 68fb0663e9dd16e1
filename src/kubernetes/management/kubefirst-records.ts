import {
  type ClusterRecord,
  RECORD_FIELDS,
  readRecord,
  type UnusableRecord,
} from '../../domain/kubefirst/cluster-record.ts';
import type { Instant } from '../../domain/time.ts';
import type { ManagementCluster } from './management-cluster.ts';
import { followSecrets, type Step } from './secret-follower.ts';
import { type Secret, textOf } from './secrets-api.ts';

/** Namespace and names of the Secrets in which Kubefirst keeps its records: an index, and one Secret per cluster. */
export const KUBEFIRST_NAMESPACE = 'kubefirst';
const INDEX = 'kubefirst-clusters';
const PREFIX = 'kubefirst-cluster-';

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

/** Follows the records of a management cluster and no other Secrets of the namespace. */
export function followRecords(options: {
  readonly cluster: ManagementCluster;
  readonly namespace: string;
  readonly signal: AbortSignal;
  readonly listAgainMs?: number;
  readonly firstPauseMs?: number;
}): AsyncGenerator<Step<KubefirstSecret>> {
  return followSecrets({ ...options, select: readSecret });
}

/** Returns the name of the record in the name of its Secret; `undefined` for the index. */
export function recordOfSecret(secretName: string): string | undefined {
  return secretName === INDEX ? undefined : secretName.slice(PREFIX.length);
}

export function readSecret(secret: Secret): KubefirstSecret | undefined {
  const { name } = secret.metadata;
  if (name === INDEX) return { kind: 'index', names: namesIn(fieldOf(secret, 'list')) };
  if (!name.startsWith(PREFIX)) return undefined;
  const record = name.slice(PREFIX.length);
  const fields = Object.fromEntries(RECORD_FIELDS.map((field) => [field, fieldOf(secret, field)]));
  return {
    kind: 'record',
    name: record,
    ...readRecord(record, fields),
    changedAt: changedAt(secret),
  };
}

/**
 * Parses one field of a record. Kubefirst stores each field under its own key as JSON; older releases stored
 * strings without quotes.
 */
function fieldOf(secret: Secret, field: string): unknown {
  const text = textOf(secret, field);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    // An unquoted id of digits is a string.
    return typeof value === 'number' ? text : value;
  } catch {
    return text.replace(/^"(.*)"$/s, '$1');
  }
}

function namesIn(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((name) => typeof name === 'string') : [];
}

function changedAt({ metadata: { managedFields = [], creationTimestamp } }: Secret): Instant | undefined {
  const times = [...managedFields.map(({ time }) => time), creationTimestamp]
    .map((time) => (time === undefined ? Number.NaN : Date.parse(time)))
    .filter((time) => !Number.isNaN(time));
  return times.length === 0 ? undefined : Math.max(...times);
}
