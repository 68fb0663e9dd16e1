import { useTranslation } from 'react-i18next';
import { monthName } from './months.ts';

/** Names the account and the UTC month that a page is about. */
export function AccountAndMonth({
  accountId,
  period,
}: {
  readonly accountId: string;
  readonly period: string;
}) {
  const { i18n } = useTranslation();
  return (
    <>
      <span className="name">{accountId}</span>
      {` · ${monthName(period, i18n.language)} (UTC)`}
    </>
  );
}
