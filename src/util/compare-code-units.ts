/** Compares two strings by their UTF-16 code units: the same order on every machine, in no language. */
export function compareCodeUnits(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
