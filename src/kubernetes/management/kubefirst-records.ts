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

/** The namespace and the names that Kubefirst keeps its records under: an index, and a Secret per cluster. */
export const KUBEFIRST_NAMESPACE = 'kubefirst';
const INDEX = 'kubefirst-clusters';
const PREFIX = 'kubefirst-cluster-';

/** What is kept of one of Kubefirst's Secrets. Everything else that it held is gone by then. */
export type KubefirstSecret =
  | { readonly kind: 'index'; readonly names: readonly string[] }
  | {
      readonly kind: 'record';
      readonly name: string;
      readonly records: readonly ClusterRecord[];
      readonly unusable: readonly UnusableRecord[];
      /** When it was last changed, by the clock of the management cluster, to the second. */
      readonly changedAt: Instant | undefined;
    };

/** Follows the records of a management cluster, and nothing else in their namespace. */
export function followRecords(options: {
  readonly cluster: ManagementCluster;
  readonly namespace: string;
  readonly signal: AbortSignal;
  readonly listAgainMs?: number;
  readonly firstPauseMs?: number;
}): AsyncGenerator<Step<KubefirstSecret>> {
  return followSecrets({ ...options, select: readSecret });
}

/** The name of a record in the name of its Secret; `undefined` where it is the index. */
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

/** Kubefirst writes each field of a record under a key of its own, as JSON; older releases wrote texts without quotes. */
function fieldOf(secret: Secret, field: string): unknown {
  const text = textOf(secret, field);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    // An id of digits alone, without quotes, is a text all the same.
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
