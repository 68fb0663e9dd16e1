import { z } from 'zod';
import { AccountId } from '../facts/fact.ts';
import { cutDomain, KUBEFIRST_ID } from './identity.ts';

/** Secret that Kubefirst creates for Argo CD. */
const DEFAULT_CONNECTION = 'argocd:argocd/{name}';

/** Settings that map clusters of Kubefirst to registrations. */
export const KubefirstPolicy = z.strictObject({
  /** Account of all clusters that no other rule assigns; without it, the id of the management cluster. */
  accountId: AccountId.optional(),
  /** Accounts by `cluster_id` of the management cluster; this rule comes first. */
  accountsByManagementId: z.record(z.string().regex(KUBEFIRST_ID), AccountId).default({}),
  /** Accounts by domain; each includes its subdomains. */
  accountsByDomain: z
    .record(
      z
        .string()
        .min(1)
        .max(253)
        .refine(
          (domain) => !isPublicSuffix(domain),
          'must not be a public suffix such as com or co.uk: it would match the domains of anybody',
        ),
      AccountId,
    )
    .default({}),
  /** Cluster types that are registered as not billable. */
  freeClusterTypes: z.array(z.string().min(1).max(64)).default(['mgmt', 'bootstrap']),
  /**
   * The `connection` reference of a billed cluster; `{name}` stands for its name, and `{records}` for the place of its
   * records. The default is the Secret that Kubefirst creates for Argo CD. `null` registers no connection.
   */
  connection: z.string().min(1).max(253).nullable().default(DEFAULT_CONNECTION),
});
export type KubefirstPolicy = z.output<typeof KubefirstPolicy>;

/**
 * Returns the account of a cluster: by management cluster, by domain, the default account, or the id of the
 * management cluster.
 */
export function accountOf(policy: KubefirstPolicy, managementId: string, domain: string | undefined): string {
  const { accountsByManagementId, accountsByDomain, accountId } = policy;
  if (Object.hasOwn(accountsByManagementId, managementId))
    return accountsByManagementId[managementId] as string;
  for (let part = domain; part !== undefined; part = parentOf(part)) {
    if (Object.hasOwn(accountsByDomain, part)) return accountsByDomain[part] as string;
  }
  return accountOfCut(accountsByDomain, domain) ?? accountId ?? managementId;
}

/** Returns the account of the only configured domain that telemetry cuts to this one. */
function accountOfCut(
  accountsByDomain: KubefirstPolicy['accountsByDomain'],
  domain: string | undefined,
): string | undefined {
  if (domain === undefined || isPublicSuffix(domain)) return undefined;
  const accounts = Object.entries(accountsByDomain).flatMap(([key, accountId]) =>
    cutDomain(key) === domain ? [accountId] : [],
  );
  return new Set(accounts).size === 1 ? accounts[0] : undefined;
}

/** Second-level labels under which a country registers domains for anybody. */
const SHARED_LABELS = new Set([
  'ac',
  'co',
  'com',
  'edu',
  'go',
  'gob',
  'gov',
  'ne',
  'net',
  'nom',
  'or',
  'org',
]);

/** Returns whether anybody can register a domain below this one: a top-level domain, or one such as `co.uk`. */
export function isPublicSuffix(domain: string): boolean {
  const [first, second, ...more] = domain.split('.') as [string, ...string[]];
  if (second === undefined) return true;
  return more.length === 0 && second.length === 2 && SHARED_LABELS.has(first);
}

function parentOf(domain: string): string | undefined {
  const dot = domain.indexOf('.');
  return dot === -1 ? undefined : domain.slice(dot + 1);
}

/** Properties of a cluster for its registration. */
export interface ClusterDescription {
  readonly managementId: string;
  readonly kubefirstId: string;
  readonly name: string | undefined;
  readonly clusterType: string | undefined;
  readonly cloudProvider: string | undefined;
  readonly region: string | undefined;
  readonly domain: string | undefined;
  /** Name of the place whose records contain the cluster. */
  readonly recordsIn?: string;
}

/**
 * Returns the `connection` setting for the records of one management cluster.
 * @param managementCluster its name in references; `undefined` if it has none.
 */
export function connectionTemplate(
  connection: string | null,
  managementCluster: string | undefined,
): string | null {
  if (connection === null) return null;
  if (managementCluster === undefined) return connection;
  const isDefault = connection === DEFAULT_CONNECTION;
  return isDefault
    ? connection.replace(':', `:${managementCluster}/`)
    : connection.replaceAll('{records}', managementCluster);
}

/** Labels of a registration: the domain, and the place of the records. */
export const DOMAIN_LABEL = 'kubefirst/domain';
export const RECORDS_LABEL = 'kubefirst/records';

/** Returns the payload of a registration; unknown properties are omitted. */
export function registrationOf(policy: KubefirstPolicy, cluster: ClusterDescription) {
  const { managementId, kubefirstId, name, clusterType, cloudProvider, region, domain, recordsIn } = cluster;
  const labels = {
    ...(domain !== undefined && { [DOMAIN_LABEL]: domain }),
    ...(recordsIn !== undefined && { [RECORDS_LABEL]: recordsIn }),
  };
  const connection = connectionOf(policy, cluster);
  return {
    accountId: accountOf(policy, managementId, domain),
    name: name ?? kubefirstId,
    ...(clusterType !== undefined && { clusterType }),
    ...(cloudProvider !== undefined && { cloudProvider }),
    ...(region !== undefined && { region }),
    ...(Object.keys(labels).length > 0 && { labels }),
    billable: !isFree(policy, clusterType),
    ...(connection !== undefined && { connection }),
  };
}

/**
 * Returns the reference to the credentials of a cluster; `undefined` for free clusters and clusters without a known
 * name.
 */
export function connectionOf(
  policy: KubefirstPolicy,
  { name, clusterType }: Pick<ClusterDescription, 'name' | 'clusterType'>,
): string | undefined {
  if (policy.connection === null || name === undefined || isFree(policy, clusterType)) return undefined;
  return policy.connection.replaceAll('{name}', name);
}

function isFree({ freeClusterTypes }: KubefirstPolicy, clusterType: string | undefined): boolean {
  return freeClusterTypes.some((free) => free === clusterType);
}
