import { Group, Stack, Tabs, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { AccountAndMonth } from '../../ui/account-and-month.tsx';
import { AccountPicker, useAccountOf } from '../../ui/account-picker.tsx';
import { isMonth, monthOf } from '../../ui/months.ts';
import { PageHeader } from '../../ui/page-header.tsx';
import { PeriodPicker } from '../../ui/period-picker.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { AccountFigure } from './account-figure.tsx';
import { AllAccounts } from './all-accounts.tsx';
import { StatementView } from './statement-view.tsx';
import './usage.css';

/** The usage that an account is charged for in a period, and why, down to the facts. Without an account: the usage of all of them. */
export default function UsagePage() {
  const { t } = useTranslation('usage');
  const [url, setUrl] = useUrlState();
  const accountId = useAccountOf(url.account);
  const period = isMonth(url.period) ? url.period : monthOf(Date.now());
  const question = { period, asOf: url.asOf };
  return (
    <>
      <PageHeader
        title={t('title')}
        lead={accountId === undefined ? t('lead') : <AccountAndMonth accountId={accountId} period={period} />}
      />
      <Stack gap="lg">
        <Group align="flex-end" gap="sm">
          <AccountPicker
            value={accountId}
            onChange={(account) => setUrl({ account, cluster: undefined, tab: undefined })}
          />
          <PeriodPicker
            value={period}
            onChange={(chosen) => setUrl({ period: chosen, cluster: undefined })}
          />
          <AsOfInput value={url.asOf} onChange={(asOf) => setUrl({ asOf })} />
        </Group>
        {accountId === undefined ? (
          <AllAccounts question={question} />
        ) : (
          <Tabs
            value={url.tab === 'statement' ? 'statement' : 'usage'}
            onChange={(tab) => setUrl({ tab: tab === 'statement' ? tab : undefined })}
            keepMounted={false}
          >
            <Tabs.List mb="md">
              <Tabs.Tab value="usage">{t('tab.usage')}</Tabs.Tab>
              <Tabs.Tab value="statement">{t('tab.statement')}</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="usage">
              <AccountFigure accountId={accountId} question={question} />
            </Tabs.Panel>
            <Tabs.Panel value="statement">
              <StatementView accountId={accountId} period={period} />
            </Tabs.Panel>
          </Tabs>
        )}
      </Stack>
    </>
  );
}

/** A position or an instant in UTC, whose knowledge counts. Empty: all that is known. */
function AsOfInput({
  value,
  onChange,
}: {
  readonly value: string | undefined;
  readonly onChange: (asOf: string | undefined) => void;
}) {
  const { t } = useTranslation('usage');
  const [text, setText] = useState(value ?? '');
  useEffect(() => setText(value ?? ''), [value]);
  const choose = () => {
    const chosen = text.trim();
    if (chosen !== (value ?? '')) onChange(chosen === '' ? undefined : chosen);
  };
  return (
    <TextInput
      label={t('asOf.label')}
      placeholder={t('asOf.placeholder')}
      value={text}
      onChange={({ currentTarget }) => setText(currentTarget.value)}
      onBlur={choose}
      onKeyDown={({ key }) => key === 'Enter' && choose()}
      w={230}
    />
  );
}
