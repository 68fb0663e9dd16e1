import { z } from 'zod';
import { AccountId } from '../facts/fact.ts';
import { KUBEFIRST_ID } from './identity.ts';

/** What the ledger makes of Kubefirst's clusters, as it is configured. */
export const KubefirstPolicy = z.strictObject({
  /** The account of every cluster that no rule below names; without it, one account per management cluster, by its id. */
  accountId: AccountId.optional(),
  /** Accounts by `cluster_id` of the management cluster: the first rule that is tried. */
  accountsByManagementId: z.record(z.string().regex(KUBEFIRST_ID), AccountId).default({}),
  /** Accounts by domain, also of all domains below it. */
  accountsByDomain: z.record(z.string().min(1).max(253), AccountId).default({}),
  /** Types of clusters that are registered as not billable. */
  freeClusterTypes: z.array(z.string().min(1).max(64)).default(['mgmt', 'bootstrap']),
  /**
   * The `connection` reference of a billed cluster, with `{name}` for its name. Kubefirst has Argo CD keep a Secret of
   * that name; `null` registers none.
   */
  connection: z.string().min(1).max(253).nullable().default('argocd:argocd/{name}'),
});
export type KubefirstPolicy = z.output<typeof KubefirstPolicy>;

/** The account that a cluster is billed to: by its management cluster, by its domain, the one for all, its management cluster. */
export function accountOf(policy: KubefirstPolicy, managementId: string, domain: string | undefined): string {
  const { accountsByManagementId, accountsByDomain, accountId } = policy;
  if (Object.hasOwn(accountsByManagementId, managementId))
    return accountsByManagementId[managementId] as string;
  for (let part = domain; part !== undefined; part = parentOf(part)) {
    if (Object.hasOwn(accountsByDomain, part)) return accountsByDomain[part] as string;
  }
  return accountId ?? managementId;
}

function parentOf(domain: string): string | undefined {
  const dot = domain.indexOf('.');
  return dot === -1 ? undefined : domain.slice(dot + 1);
}

/** What a registration says, in the terms of the ledger. */
export interface ClusterDescription {
  readonly managementId: string;
  readonly kubefirstId: string;
  readonly name: string | undefined;
  readonly clusterType: string | undefined;
  readonly cloudProvider: string | undefined;
  readonly region: string | undefined;
  readonly domain: string | undefined;
  /** The name of the place whose records say so. */
  readonly recordsIn?: string;
}

/** Labels of a registration: the domain, and whose records it comes from. */
export const DOMAIN_LABEL = 'kubefirst/domain';
export const RECORDS_LABEL = 'kubefirst/records';

/** The payload of the registration of a cluster of Kubefirst's; what is not known is left out. */
export function registrationOf(policy: KubefirstPolicy, cluster: ClusterDescription) {
  const { managementId, kubefirstId, name, clusterType, cloudProvider, region, domain, recordsIn } = cluster;
  const labels = {
    ...(domain !== undefined && { [DOMAIN_LABEL]: domain }),
    ...(recordsIn !== undefined && { [RECORDS_LABEL]: recordsIn }),
  };
  const isFree = clusterType !== undefined && policy.freeClusterTypes.includes(clusterType);
  const connection = connectionOf(policy, cluster);
  return {
    accountId: accountOf(policy, managementId, domain),
    name: name ?? kubefirstId,
    ...(clusterType !== undefined && { clusterType }),
    ...(cloudProvider !== undefined && { cloudProvider }),
    ...(region !== undefined && { region }),
    ...(Object.keys(labels).length > 0 && { labels }),
    billable: !isFree,
    ...(connection !== undefined && { connection }),
  };
}

/** How the credentials of a cluster are referred to; `undefined` for free ones and where its name is not known. */
export function connectionOf(
  { connection, freeClusterTypes }: KubefirstPolicy,
  { name, clusterType }: Pick<ClusterDescription, 'name' | 'clusterType'>,
): string | undefined {
  if (connection === null || name === undefined) return undefined;
  if (clusterType !== undefined && freeClusterTypes.includes(clusterType)) return undefined;
  return connection.replaceAll('{name}', name);
}
