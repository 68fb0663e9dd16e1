import { z } from 'zod';
import type { Interval } from '../billing/billing.ts';
import { parseSeconds } from '../billing/quantity.ts';
import { usageOf } from '../billing/usage.ts';
import { hours } from '../inventory.ts';
import { formatInstant, type Instant, type Window } from '../time.ts';
import { identityOf } from './identity.ts';

/** An amount of money per cluster-hour, in whatever currency: the ledger knows none. */
export const PricePerHour = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,9})?$/, 'must be a decimal number such as 0.125, with at most 9 places');

/** A cluster as the billing page of Kubefirst Pro lists it. */
export interface ClusterUsageLine {
  readonly clusterName: string;
  /** Kubefirst's own `cluster_id`, or the ledger's id where it is no cluster of Kubefirst's. */
  readonly clusterID: string;
  readonly clusterType: string | null;
  readonly createdAt: string;
  readonly deletedAt: string | null;
  /** Billed hours of the window, 6 decimal places, half to even. */
  readonly hours: string;
  /** `hours` as they stand there times the price, 2 decimal places, half to even; null without a price. */
  readonly total: string | null;
}

/** What the ledger has of a cluster, for a line. */
export interface ClusterBill {
  readonly clusterId: string;
  readonly name: string;
  readonly clusterType: string | undefined;
  readonly registeredAt: Instant;
  readonly deletedAt: Instant | undefined;
  readonly intervals: readonly Interval[];
}

/** The clusters that were there in a window, with what is billed of each; none where it has not begun. */
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
  const billed = hours(parseSeconds(usageOf([intervals], counted).clusterSeconds) ?? 0n);
  return {
    clusterName: name,
    clusterID: identityOf(clusterId)?.kubefirstId ?? clusterId,
    clusterType: clusterType ?? null,
    createdAt: formatInstant(registeredAt),
    deletedAt: deletedAt === undefined ? null : formatInstant(deletedAt),
    hours: billed,
    total: pricePerHour === undefined ? null : multiply(billed, pricePerHour),
  };
}

/** The product of two decimal numbers, none negative, with 2 decimal places, half to even. */
export function multiply(a: string, b: string): string {
  const [one, other] = [unscaled(a), unscaled(b)];
  return formatFixed(one.digits * other.digits, 10n ** BigInt(one.places + other.places));
}

function unscaled(text: string): { readonly digits: bigint; readonly places: number } {
  const [whole, fraction = ''] = text.split('.') as [string, string?];
  return { digits: BigInt(whole + fraction), places: fraction.length };
}

const CENTS = 10n ** 2n;

function formatFixed(numerator: bigint, denominator: bigint): string {
  const scaled = numerator * CENTS;
  const twiceRest = (scaled % denominator) * 2n;
  const down = scaled / denominator;
  const isUp = twiceRest > denominator || (twiceRest === denominator && down % 2n === 1n);
  const cents = String(isUp ? down + 1n : down).padStart(3, '0');
  return `${cents.slice(0, -2)}.${cents.slice(-2)}`;
}
