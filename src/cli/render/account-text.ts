import type { AccountOut } from '../../api/accounts.ts';
import { ALL_TYPES } from '../../domain/billing/usage-meter.ts';
import type { Detail } from '../terminal/output.ts';
import { typeText } from './by-type.ts';

type LimitUse = NonNullable<AccountOut['limitUse']>[number];

/** Returns a limit and its use, such as `vcluster 3/10`. */
export function limitText({ clusterType, billed, limit }: LimitUse): string {
  return `${limitedType(clusterType)} ${billed}/${limit}`;
}

/** Returns the rows of an account for people. */
export function accountDetails(account: AccountOut): Detail[] {
  const { externalIds = {}, limitUse = [], billedByType } = account;
  return [
    ['account', account.accountId],
    ['name', account.name],
    ...Object.entries(externalIds).map(([system, id]) => [`id in ${system}`, id] as const),
    ['clusters', account.clusters],
    ['billed now', account.billedNow],
    ...billedByType.map(({ clusterType, billed }) => [`  ${typeText(clusterType)}`, billed] as const),
    ...limitUse.map(
      (use) =>
        [
          `limit of ${limitedType(use.clusterType)}`,
          `${use.limit}, ${use.billed} billed, ${use.left} left`,
        ] as const,
    ),
  ];
}

function limitedType(clusterType: string): string {
  return typeText(clusterType === ALL_TYPES ? undefined : clusterType);
}
