import type { ValidatorSettings } from '../config/validator-settings.ts';
import { Prober } from '../kubernetes/prober/prober.ts';
import {
  type CredentialSettings,
  type ManagementClusterSettings,
  managementClustersOf,
} from '../kubernetes/settings/credential-settings.ts';
import { ProberOptions } from '../kubernetes/settings/prober-options.ts';
import type { Logger } from '../util/logger.ts';
import type { Operations } from '../util/operation-listeners.ts';
import { searchDomains } from './search-domains.ts';

/** Files of the in-cluster login. */
const IN_CLUSTER = '/var/run/secrets/kubernetes.io/serviceaccount/';

interface Parts {
  /** Environment of the probing process: the address of the API server of the cluster that the ledger runs in. */
  readonly environment: Readonly<Record<string, string>>;
  readonly log: Pick<Logger, 'warn'>;
  readonly now: () => number;
  readonly operations?: Operations;
}

/** Creates the prober, whose process opens all credentials: those of clusters and those of management clusters. */
export function openProber(
  { environment, log, now, operations }: Parts,
  { credentials, probe }: Pick<ValidatorSettings, 'credentials' | 'probe'>,
  followed: readonly ManagementClusterSettings[],
): Prober {
  const readable = readableFor(credentials, followed);
  const options = { ...probe, credentials, environment, searchDomains: searchDomains(environment), readable };
  return new Prober(ProberOptions.parse(options), {
    now,
    log,
    ...(operations !== undefined && { operations }),
  });
}

function readableFor(
  credentials: CredentialSettings,
  followed: readonly ManagementClusterSettings[],
): string[] {
  const all = [...managementClustersOf(credentials).map(({ access }) => access), ...followed];
  return [...new Set(all.map((access) => ('inCluster' in access ? IN_CLUSTER : access.kubeconfig)))];
}
