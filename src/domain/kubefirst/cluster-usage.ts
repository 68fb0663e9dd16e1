import { z } from 'zod';
import type { Interval } from '../billing/billing.ts';
import { formatRatio, parseSeconds } from '../billing/quantity.ts';
import { usageOf } from '../billing/usage-meter.ts';
import { hours } from '../inventory.ts';
import { formatInstant, type Instant, type Window } from '../time.ts';
import { identityOf } from './identity.ts';

/** Price per cluster-hour, without a currency. */
export const PricePerHour = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,9})?$/, 'must be a decimal number such as 0.125, with at most 9 decimal places');

/** A cluster on the billing page of Kubefirst Pro. */
export interface ClusterUsageLine {
  readonly clusterName: string;
  /** The `cluster_id` of Kubefirst, or the id in the ledger if the cluster is not one of Kubefirst. */
  readonly clusterID: string;
  readonly clusterType: string | null;
  readonly isActive: boolean;
  readonly domainName: string | null;
  /** Label `environment` of the cluster. */
  readonly environment: string | null;
  readonly createdAt: string;
  readonly deletedAt: string | null;
  /** Billed hours of the window, with 6 decimal places, rounded half to even. */
  readonly hours: string;
  /** `hours` as shown, times the price, with 2 decimal places, rounded half to even; null without a price. */
  readonly total: string | null;
}

/** A cluster with its billed intervals. */
export interface ClusterBill {
  readonly clusterId: string;
  readonly name: string;
  readonly clusterType: string | undefined;
  /** Whether it exists and its billing is not stopped. */
  readonly isActive: boolean;
  readonly domainName: string | undefined;
  readonly environment: string | undefined;
  readonly registeredAt: Instant;
  readonly deletedAt: Instant | undefined;
  readonly intervals: readonly Interval[];
}

/** Returns the clusters that existed in a window with their usage; an empty list if the window has not begun. */
export function clusterUsage(
  clusters: readonly ClusterBill[],
  counted: Window,
  pricePerHour: string | undefined,
): readonly ClusterUsageLine[] {
  if (counted.from >= counted.to) return [];
  const wasThere = ({ registeredAt, deletedAt }: ClusterBill) =>
    registeredAt < counted.to && (deletedAt === undefined || deletedAt > counted.from);
  return clusters.filter(wasThere).map((cluster) => lineOf(cluster, counted, pricePerHour));
}

function lineOf(cluster: ClusterBill, counted: Window, pricePerHour: string | undefined): ClusterUsageLine {
  const { clusterId, name, clusterType, registeredAt, deletedAt, intervals } = cluster;
  const billed = hours(parseSeconds(usageOf([intervals], counted).usage.clusterSeconds) ?? 0n);
  return {
    clusterName: name,
    clusterID: identityOf(clusterId)?.kubefirstId ?? clusterId,
    clusterType: clusterType ?? null,
    isActive: cluster.isActive,
    domainName: cluster.domainName ?? null,
    environment: cluster.environment ?? null,
    createdAt: formatInstant(registeredAt),
    deletedAt: deletedAt === undefined ? null : formatInstant(deletedAt),
    hours: billed,
    total: pricePerHour === undefined ? null : multiply(billed, pricePerHour),
  };
}

/** Multiplies two non-negative decimal numbers. The result has 2 decimal places, rounded half to even. */
export function multiply(a: string, b: string): string {
  const [left, right] = [unscaled(a), unscaled(b)];
  return formatRatio(left.digits * right.digits, 10n ** BigInt(left.places + right.places), 2);
}

function unscaled(text: string): { readonly digits: bigint; readonly places: number } {
  const [whole, fraction = ''] = text.split('.') as [string, string?];
  return { digits: BigInt(whole + fraction), places: fraction.length };
}
