import type { FactOf } from '../../domain/facts/fact.ts';
import type { SeededRandom } from './seeded-random.ts';

/** A fictional customer of the platform. */
export interface Account {
  readonly accountId: string;
  /** Approximate number of clusters at the end of the year. */
  readonly size: number;
  /** Whether the account creates a short-lived cluster for every pull request. */
  readonly hasPreviews: boolean;
  readonly provider: Provider;
}

interface Provider {
  readonly name: string;
  readonly regions: readonly string[];
}

const PROVIDERS: readonly Provider[] = [
  { name: 'aws', regions: ['eu-central-1', 'us-east-1', 'us-west-2', 'ap-southeast-1'] },
  { name: 'google', regions: ['europe-west4', 'us-central1', 'asia-east1'] },
  { name: 'azure', regions: ['westeurope', 'eastus2', 'southeastasia'] },
  { name: 'civo', regions: ['fra1', 'lon1', 'nyc1'] },
  { name: 'digitalocean', regions: ['ams3', 'nyc3', 'sgp1'] },
  { name: 'akamai', regions: ['de-fra-2', 'us-ord'] },
];

const COMPANIES = `
  acorn-insurance alder-and-finch atlas-freight aurora-health baltic-power bluebird-travel brightwater
  cedar-bank cobalt-games copperfield-press coral-reef-media delta-seed dovetail-software driftwood-hotels
  eastgate-telecom ember-robotics fathom-marine fernhill-schools fjord-energy granite-mining harbor-pay
  hazel-foods ironbridge-rail juniper-labs kestrel-aero lantern-news lighthouse-legal maple-motors
  meridian-maps mosaic-retail nimbus-weather northstar-cargo opal-pharma pine-street-capital quarry-stone
  redwood-analytics saltmarsh-biotech tidewater-ports vantage-optics willow-clinics`;

const SIZES = [3, 1, 5, 2, 8, 1, 4, 12, 6, 2, 3, 1, 7, 2, 4, 9, 1, 3, 5, 2, 15, 2, 6, 10, 1, 4, 3, 2, 7, 5];
const ACCOUNTS_WITH_PREVIEWS = ['cobalt-games', 'dovetail-software', 'juniper-labs'];

export const ACCOUNTS: readonly Account[] = COMPANIES.trim()
  .split(/\s+/)
  .map((accountId, i) => ({
    accountId,
    size: SIZES[i % SIZES.length] as number,
    hasPreviews: ACCOUNTS_WITH_PREVIEWS.includes(accountId),
    provider: PROVIDERS[(i * 5) % PROVIDERS.length] as Provider,
  }));

/** Purposes of clusters, in the order in which an account creates them. */
export const PURPOSES = [
  'prod',
  'staging',
  'dev',
  'prod-eu',
  'data',
  'sandbox',
  'prod-us',
  'edge',
  'load-test',
  'ml-train',
  'prod-ap',
  'qa',
  'reporting',
  'partner',
  'archive',
] as const;
export type Purpose = (typeof PURPOSES)[number] | 'mgmt' | 'preview';

/** The data of a registration. */
export type Cluster = Omit<FactOf<'ClusterRegistered'>, 'type' | 'effectiveAt'>;

const VERSIONS = ['1.31', '1.32', '1.33', '1.34'] as const;

/**
 * Creates a cluster with a new id.
 * @param age part of the year that has passed, from 0 to 1.
 */
export function newCluster(
  random: SeededRandom,
  { accountId, provider }: Account,
  purpose: Purpose,
  age: number,
): Cluster {
  const name = purpose === 'preview' ? `pr-${random.between(1_000, 9_999)}` : purpose;
  const clusterId = `${accountId}-${name}-${random.id(4)}`;
  const isManagement = purpose === 'mgmt';
  const isVirtual = purpose === 'preview' || purpose === 'dev';
  const kubernetes = VERSIONS[Math.min(3, Math.floor(age * 4))] as string;
  return {
    clusterId,
    accountId,
    name,
    clusterType: isManagement ? 'mgmt' : isVirtual ? 'workload-vcluster' : 'workload-cluster',
    cloudProvider: provider.name,
    region: random.pick(provider.regions),
    labels: { env: purpose.startsWith('prod') ? 'production' : purpose, kubernetes },
    billable: !isManagement,
    connection: `dir:${clusterId}.yaml`,
  };
}
