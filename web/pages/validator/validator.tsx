import { Button, Stack, Tabs } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMayCall } from '../../data/caller.ts';
import { systemQuery } from '../../data/system.ts';
import { runNow, undecidedQuery } from '../../data/validator.ts';
import { Notice } from '../../ui/notice.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { Failed } from '../../ui/states.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { DryRun } from './dry-run.tsx';
import { OneRun } from './one-run.tsx';
import { Runs } from './runs.tsx';
import { Status } from './status.tsx';
import { UndecidedClusters } from './undecided.tsx';
import './validator.css';

/** The validator: its state and its runs, or one run. */
export default function ValidatorPage() {
  const { runId } = useParams({ strict: false }) as { readonly runId?: string };
  return runId === undefined ? <Validator /> : <OneRun runId={runId} />;
}

function Validator() {
  const { t } = useTranslation('validator');
  const mayCall = useMayCall();
  const client = useQueryClient();
  const [url, setUrl] = useUrlState();
  const [isPlanning, setPlanning] = useState(false);
  const { data: system } = useQuery(systemQuery);
  const { data: undecided } = useQuery(undecidedQuery);
  const run = useMutation({
    mutationFn: runNow,
    onSuccess: () => client.invalidateQueries({ queryKey: ['validator'] }),
  });
  const isConfigured = system?.validator.isConfigured !== false;
  const actions = isConfigured && mayCall('requestValidation') && (
    <>
      <Button variant="default" onClick={() => setPlanning(true)}>
        {t('dryRun.button')}
      </Button>
      <Button loading={run.isPending} onClick={() => run.mutate()}>
        {t('runNow')}
      </Button>
    </>
  );
  return (
    <>
      <PageHeader title={t('title')} lead={t('lead')} actions={actions} />
      <Stack gap="lg">
        {!isConfigured && <Notice title={t('off')}>{t('offDetail')}</Notice>}
        {run.error !== null && <Failed error={run.error} />}
        <Status />
        <Tabs
          value={url.tab === 'undecided' ? 'undecided' : 'runs'}
          onChange={(tab) => setUrl({ tab: tab === 'runs' ? undefined : (tab ?? undefined) })}
          keepMounted={false}
        >
          <Tabs.List mb="md">
            <Tabs.Tab value="runs">{t('runs')}</Tabs.Tab>
            <Tabs.Tab value="undecided">
              {undecided === undefined
                ? t('undecided.title')
                : t('undecided.titleCount', { count: undecided.length })}
            </Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="runs">
            <Runs isConfigured={isConfigured} />
          </Tabs.Panel>
          <Tabs.Panel value="undecided">
            <UndecidedClusters />
          </Tabs.Panel>
        </Tabs>
      </Stack>
      <DryRun isOpen={isPlanning} onClose={() => setPlanning(false)} />
    </>
  );
}
