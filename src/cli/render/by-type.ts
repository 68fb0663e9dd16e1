import type { z } from 'zod';
import type { AmountsOut } from '../../api/usage.ts';
import { AmountSum } from '../../domain/billing/quantity.ts';
import { compareTypes } from '../../domain/billing/usage-meter.ts';
import type { Column } from '../terminal/table.ts';

type Amounts = z.output<typeof AmountsOut>;

interface OfType {
  readonly clusterType: string | null;
}

/** Figures of one cluster type, or of all types together if `clusterType` is `undefined`. */
export interface TypeRow<Figures> {
  readonly clusterType: string | null | undefined;
  readonly figures: Figures;
}

/** Returns whether figures have more than one cluster type, or a type that facts name. */
export function hasTypes(byType: readonly OfType[]): boolean {
  return byType.length > 1 || byType.some(({ clusterType }) => clusterType !== null);
}

/** Returns a row for all cluster types together, then one for each type if `isTyped`. */
export function rowsByType<Figures>(
  all: Figures,
  byType: readonly (Figures & OfType)[],
  isTyped = hasTypes(byType),
): TypeRow<Figures>[] {
  const types = isTyped ? byType.map((own) => ({ clusterType: own.clusterType, figures: own })) : [];
  return [{ clusterType: undefined, figures: all }, ...types];
}

/** Amounts before and after a change, and their difference. */
export type AmountsChange = Readonly<Record<'before' | 'after' | 'delta', Amounts>>;

/** Usage of all cluster types together and of each. */
interface Breakdown {
  readonly usage: Amounts;
  readonly byType: readonly (Amounts & OfType)[];
}

/** Returns the change of all cluster types together, then of each type if there are types. */
export function changesByType(before: Breakdown, after: Breakdown): TypeRow<AmountsChange>[] {
  const types = new Set([...before.byType, ...after.byType].map(({ clusterType }) => clusterType));
  const changes = [...types].sort(compareTypes).map((clusterType) => ({
    clusterType,
    ...changeOf(amountsOf(before, clusterType), amountsOf(after, clusterType)),
  }));
  return rowsByType<AmountsChange>(changeOf(before.usage, after.usage), changes);
}

function amountsOf({ byType }: Breakdown, clusterType: string | null): Amounts {
  return byType.find((own) => own.clusterType === clusterType) ?? new AmountSum().total;
}

function changeOf(before: Amounts, after: Amounts): AmountsChange {
  return { before, after, delta: new AmountSum().add(after).subtract(before).total };
}

/** Returns a column for the cluster type, or no column if every row is of all types together. */
export function typeColumn<Row extends TypeRow<unknown>>(rows: readonly Row[]): Column<Row>[] {
  if (rows.every(({ clusterType }) => clusterType === undefined)) return [];
  return [{ title: 'TYPE', cell: ({ clusterType }) => typeText(clusterType) }];
}

/** Returns the name of a cluster type for people. */
export function typeText(clusterType: string | null | undefined): string {
  return clusterType === undefined ? 'all types' : (clusterType ?? 'no type');
}
