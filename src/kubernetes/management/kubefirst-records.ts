import { RECORD_FIELDS, readRecord } from '../../domain/kubefirst/cluster-record.ts';
import {
  INDEX_SECRET,
  type KubefirstSecret,
  RECORD_SECRET_PREFIX,
  type RecordStep,
} from '../../domain/kubefirst/record-step.ts';
import type { Instant } from '../../domain/time.ts';
import type { ManagementCluster } from './management-cluster.ts';
import { followSecrets } from './secret-follower.ts';
import { type Secret, textOf } from './secrets-api.ts';

/** Follows the records of a management cluster and no other Secrets of the namespace. */
export function followRecords(options: {
  readonly cluster: ManagementCluster;
  readonly namespace: string;
  readonly signal: AbortSignal;
  readonly listAgainMs?: number;
  readonly firstPauseMs?: number;
}): AsyncGenerator<RecordStep> {
  return followSecrets({ ...options, select: readSecret });
}

export function readSecret(secret: Secret): KubefirstSecret | undefined {
  const { name } = secret.metadata;
  if (name === INDEX_SECRET) return { kind: 'index', names: namesIn(fieldOf(secret, 'list')) };
  if (!name.startsWith(RECORD_SECRET_PREFIX)) return undefined;
  const record = name.slice(RECORD_SECRET_PREFIX.length);
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
