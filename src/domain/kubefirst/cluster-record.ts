import { z } from 'zod';
import { line } from '../facts/fact.ts';
import { type Instant, LAST_INSTANT, SECOND_MS } from '../time.ts';
import { isManagementType, KUBEFIRST_ID, KUBEFIRST_NAME } from './identity.ts';

/** Lifecycle statuses of Kubefirst. Both a failed creation and a failed deletion set `error`. */
export const STATUSES = ['provisioning', 'provisioned', 'error', 'deleting', 'deleted'] as const;
export type Status = (typeof STATUSES)[number];

/** The fields of a Kubefirst record that the ledger reads. The same JSON contains keys and passwords. */
export interface ClusterRecord {
  readonly managementId: string;
  readonly kubefirstId: string;
  readonly name: string;
  readonly clusterType: string | undefined;
  readonly status: Status | undefined;
  readonly cloudProvider: string | undefined;
  readonly region: string | undefined;
  readonly domain: string | undefined;
  /** `undefined` if the record has no time of creation. */
  readonly createdAt: Instant | undefined;
}

/** A record that the ledger cannot use, with the field at fault but not its value. */
export interface UnusableRecord {
  readonly name: string;
  readonly field: string;
}

const text = (max: number) =>
  line(max)
    .nullish()
    .catch(undefined)
    .transform((value) => value ?? undefined);

/** Time of creation as a string or number: ten digits are seconds, thirteen are milliseconds. */
const Creation = z
  .union([z.string().regex(/^\d{10}(\d{3})?$/), z.int().nonnegative()])
  .nullish()
  .catch(undefined)
  .transform((value): Instant | undefined => {
    const number = Number(value ?? 0);
    const instant = number < 10 ** 10 ? number * SECOND_MS : number;
    return instant > 0 && instant <= LAST_INSTANT ? instant : undefined;
  });

const fields = {
  cluster_id: z.string().regex(KUBEFIRST_ID),
  cluster_name: z.string().regex(KUBEFIRST_NAME),
  cluster_type: text(64),
  status: z.enum(STATUSES).optional().catch(undefined),
  cloud_provider: text(64),
  cloud_region: text(64),
  domain_name: text(253),
  creation_timestamp: Creation,
};
const Workload = z.object(fields);
const Record = z.object({ ...fields, workload_clusters: z.array(z.unknown()).nullish() });

/** Fields that are read from the Secret of a record. All others are dropped first. */
export const RECORD_FIELDS: readonly string[] = Object.keys(Record.shape);

/**
 * Parses a record and the workload clusters in it.
 * @param name name of the record, to report unusable ones.
 */
export function readRecord(
  name: string,
  input: unknown,
): { readonly records: readonly ClusterRecord[]; readonly unusable: readonly UnusableRecord[] } {
  const parsed = Record.safeParse(input);
  if (!parsed.success) return { records: [], unusable: [unusable(name, parsed.error)] };
  const host = parsed.data;
  const managementId = host.cluster_id;
  const records = [toRecord(host, managementId)];
  const unusableWorkloads: UnusableRecord[] = [];
  for (const [i, workload] of (host.workload_clusters ?? []).entries()) {
    const parsedWorkload = Workload.safeParse(workload);
    if (parsedWorkload.success) records.push(toRecord(parsedWorkload.data, managementId));
    else unusableWorkloads.push(unusable(`${name}/workload_clusters/${i}`, parsedWorkload.error));
  }
  return { records, unusable: unusableWorkloads };
}

function toRecord(fields: z.output<typeof Workload>, managementId: string): ClusterRecord {
  return {
    managementId: isManagementType(fields.cluster_type) ? fields.cluster_id : managementId,
    kubefirstId: fields.cluster_id,
    name: fields.cluster_name,
    clusterType: fields.cluster_type,
    status: fields.status,
    cloudProvider: fields.cloud_provider,
    region: fields.cloud_region,
    domain: fields.domain_name,
    createdAt: fields.creation_timestamp,
  };
}

function unusable(name: string, error: z.ZodError): UnusableRecord {
  return { name, field: String(error.issues[0]?.path[0] ?? 'record') };
}
