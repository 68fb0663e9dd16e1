import { Group, Stack, Tabs } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { AccountAndMonth } from '../../ui/account-and-month.tsx';
import { AccountPicker, useAccountOf } from '../../ui/account-picker.tsx';
import { isMonth, monthOf } from '../../ui/months.ts';
import { PageHeader } from '../../ui/page-header.tsx';
import { PeriodPicker } from '../../ui/period-picker.tsx';
import { Empty, LinesSkeleton } from '../../ui/states.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { Comparison } from './comparison.tsx';
import { Sequence } from './sequence.tsx';
import './replay.css';

const Evidence = lazy(() => import('./evidence.tsx'));

const TABS = ['sequence', 'compare', 'evidence'] as const;

/** Settles a dispute: how a figure came about fact by fact, what changed between two moments, and the evidence of it. */
export default function ReplayPage() {
  const { t } = useTranslation('replay');
  const [url, setUrl] = useUrlState();
  const accountId = useAccountOf(url.account);
  const period = isMonth(url.period) ? url.period : monthOf(Date.now());
  const tab = TABS.find((name) => name === url.tab) ?? 'sequence';
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
            onChange={(account) => setUrl({ account, at: undefined, before: undefined, after: undefined })}
          />
          <PeriodPicker value={period} onChange={(chosen) => setUrl({ period: chosen })} />
        </Group>
        <Tabs
          value={tab}
          onChange={(chosen) => setUrl({ tab: chosen === 'sequence' ? undefined : (chosen ?? undefined) })}
          keepMounted={false}
        >
          <Tabs.List mb="md">
            {TABS.map((name) => (
              <Tabs.Tab key={name} value={name}>
                {t(`tab.${name}`)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Tabs.Panel value="evidence">
            <Suspense fallback={<LinesSkeleton />}>
              <Evidence accountId={accountId} period={period} />
            </Suspense>
          </Tabs.Panel>
          {accountId === undefined ? (
            tab !== 'evidence' && <Empty title={t('choose')}>{t('chooseDetail')}</Empty>
          ) : (
            <>
              <Tabs.Panel value="sequence">
                <Sequence accountId={accountId} period={period} />
              </Tabs.Panel>
              <Tabs.Panel value="compare">
                <Comparison accountId={accountId} period={period} />
              </Tabs.Panel>
            </>
          )}
        </Tabs>
      </Stack>
    </>
  );
}
