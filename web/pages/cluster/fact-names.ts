import type { TFunction } from 'i18next';

/** Returns the name of a fact in words. @param type its CloudEvents type, such as `io.clusterledger.billing.stopped.v1` */
export function factName(t: TFunction<'cluster'>, type: string): string {
  const name = type.replace(/^io\.clusterledger\.|\.v\d+$/g, '');
  return t(`fact.${name.replace('.', '-')}`, { defaultValue: name });
}
