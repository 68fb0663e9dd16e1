import type { Column } from '../terminal/table.ts';

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

/** Returns a column for the cluster type, or no column if every row is of all types together. */
export function typeColumn<Row extends TypeRow<unknown>>(rows: readonly Row[]): Column<Row>[] {
  if (rows.every(({ clusterType }) => clusterType === undefined)) return [];
  return [{ title: 'TYPE', cell: ({ clusterType }) => typeText(clusterType) }];
}

/** Returns the name of a cluster type for people. */
export function typeText(clusterType: string | null | undefined): string {
  return clusterType === undefined ? 'all types' : (clusterType ?? 'no type');
}
