import type { Caller } from '../domain/access/caller.ts';
import type { Instant } from '../domain/time.ts';
import type { Alert } from '../projections/alerts/raised-alert.ts';
import type { LedgerModel } from '../projections/model/ledger-model.ts';
import { onlyAccountOf, ownerNow } from './access/require-own.ts';

/** Returns whether a caller may read an alert: a customer those about its account and about the clusters that it owns now. */
export function mayReadAlert(
  caller: Caller,
  { accountId, clusterId }: Pick<Alert, 'accountId' | 'clusterId'>,
  model: LedgerModel,
  now: Instant,
): boolean {
  const onlyAccount = onlyAccountOf(caller);
  if (onlyAccount === undefined) return true;
  if (accountId !== onlyAccount) return false;
  const cluster = clusterId === undefined ? undefined : model.clusters.find(clusterId);
  return cluster === undefined || ownerNow(model, cluster, now) === onlyAccount;
}
