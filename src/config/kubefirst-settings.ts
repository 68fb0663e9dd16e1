import { z } from 'zod';
import { PricePerHour } from '../domain/kubefirst/cluster-usage.ts';
import { KubefirstPolicy } from '../domain/kubefirst/registration.ts';
import { ManagementClusterSettings } from '../kubernetes/settings/credential-settings.ts';

/** Location of the records of Kubefirst that the ledger follows. */
const RecordsSettings = z.strictObject({
  /** Without it, the one of `validator.credentials.managementClusters` with this name, or `managementCluster`. */
  managementCluster: ManagementClusterSettings.optional(),
  namespace: z.string().min(1).max(63).default('kubefirst'),
  /**
   * Name of this location. A cluster is reported as missing only if the records of the location that registered it no longer
   * have it, so the name must never change.
   */
  name: z
    .string()
    .regex(/^[a-z0-9-]{1,63}$/, 'must be 1 to 63 of a-z 0-9 -')
    .default('default'),
});
export type RecordsSettings = z.output<typeof RecordsSettings>;

/** One location, or a list of them. */
const AllRecords = z
  .union([z.array(RecordsSettings).max(1_000), RecordsSettings.transform((records) => [records])])
  .refine(
    (all) => new Set(all.map(({ name }) => name)).size === all.length,
    'must have unique names: each management cluster needs one of its own',
  );

const policy = KubefirstPolicy.shape;

/** Settings of the integration with Kubefirst. */
export const KubefirstSettings = z.strictObject({
  accountId: policy.accountId.describe(
    'Account of every cluster that no rule below assigns. Without it, each management cluster has an account of its own, named by its id.',
  ),
  accountsByManagementId: policy.accountsByManagementId.describe(
    'Accounts by `cluster_id` of the management cluster. This rule comes first.',
  ),
  accountsByDomain: policy.accountsByDomain.describe('Accounts by domain. Each includes the subdomains.'),
  freeClusterTypes: policy.freeClusterTypes.describe('Cluster types that are registered as not billable.'),
  connection: policy.connection.describe(
    'Reference to the credentials of a billed cluster; `{name}` stands for its name. `null` registers none.',
  ),
  writeKey: z
    .string()
    .min(8)
    .max(256)
    .optional()
    .describe('User name (basic authentication) that the telemetry of Kubefirst must send.'),
  pricePerHour: PricePerHour.optional().describe(
    'Price of a cluster-hour on the billing page, a decimal number. Without it the page has no totals.',
  ),
  records: AllRecords.optional().describe(
    'The records of Kubefirst to follow, one location or a list: `name`, `managementCluster` (`inCluster` or `kubeconfig`), `namespace`. Without `managementCluster`, the management cluster of `validator.credentials` that has this name, or the one without a name, is followed.',
  ),
});
export type KubefirstSettings = z.output<typeof KubefirstSettings>;
