import type { AccountOut } from '../../api/accounts.ts';
import type { Detail } from '../terminal/output.ts';

type LimitUse = NonNullable<AccountOut['limitUse']>[number];

/** Returns a limit and its use, such as `vcluster 3/10`. */
export function limitText({ clusterType, billed, limit }: LimitUse): string {
  return `${typeText(clusterType)} ${billed}/${limit}`;
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
    ...billedByType.map(({ clusterType, billed }) => [`  ${clusterType ?? 'no type'}`, billed] as const),
    ...limitUse.map(
      (use) => [`limit of ${typeText(use.clusterType)}`, `${use.limit}, ${use.left} left`] as const,
    ),
  ];
}

function typeText(clusterType: string): string {
  return clusterType === '*' ? 'all types' : clusterType;
}
