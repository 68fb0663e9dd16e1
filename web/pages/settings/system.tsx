import { Anchor, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import {
  type ConfiguredPolicy,
  checkpointQuery,
  type System as SystemData,
  systemQuery,
} from '../../data/system.ts';
import { CopyText } from '../../ui/copy-text.tsx';
import { Field, FieldList } from '../../ui/field-list.tsx';
import { BilledTime, Count } from '../../ui/figures.tsx';
import { Loaded } from '../../ui/states.tsx';

/** How clusters are judged, and the ledger that answers. Nothing here can be changed: settings are in files. */
export function System() {
  const query = useQuery(systemQuery);
  return (
    <Loaded query={query}>
      {(system) => (
        <Stack gap="xl">
          <Policies validator={system.validator} />
          <Ledger system={system} />
        </Stack>
      )}
    </Loaded>
  );
}

/** A duration of the settings. @param ms milliseconds */
function Duration({ ms }: { readonly ms: number }) {
  return <BilledTime seconds={String(ms / 1_000)} />;
}

function Policies({ validator }: { readonly validator: SystemData['validator'] }) {
  const { t } = useTranslation('settings');
  const { policies, breaker, isConfigured, schedule } = validator;
  return (
    <section>
      <Title order={2} id="policies" mb={4}>
        {t('policies.title')}
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        {t(isConfigured ? 'policies.lead' : 'policies.off')}
      </Text>
      <Stack gap="md">
        {policies.map((policy) => (
          <Policy key={policy.name} policy={policy} isOnly={policies.length === 1} />
        ))}
        <div>
          <Title order={3} mb={4}>
            {t('policies.breaker')}
          </Title>
          <FieldList>
            <Field name={t('policies.opens')}>
              {t('policies.opensAt', {
                percent: String(Math.round(Number(breaker.ratio) * 1_000) / 10),
                count: breaker.minClusters,
              })}{' '}
              (<Duration ms={breaker.windowMs} />)
            </Field>
            <Field name={t('policies.canaries')}>
              {breaker.canaries.length === 0 ? t('policies.none') : breaker.canaries.join(', ')}
            </Field>
            <Field name={t('policies.schedule')}>
              {schedule === 'off' ? t('policies.whenAsked') : schedule}
            </Field>
          </FieldList>
        </div>
      </Stack>
    </section>
  );
}

function Policy({ policy, isOnly }: { readonly policy: ConfiguredPolicy; readonly isOnly: boolean }) {
  const { t } = useTranslation('settings');
  const { match } = policy;
  const clusters =
    match === undefined
      ? t(isOnly ? 'policies.all' : 'policies.others')
      : [
          ...(match.accounts ?? []),
          ...Object.entries(match.labels ?? {}).map(([label, value]) => `${label}=${value}`),
        ].join(', ');
  return (
    <div>
      <Title order={3} mb={4} className="name">
        {policy.name}
      </Title>
      <FieldList>
        <Field name={t('policies.for')}>{clusters}</Field>
        <Field name={t('policies.mode')}>{`${policy.mode} – ${t(`policies.is.${policy.mode}`)}`}</Field>
        <Field name={t('policies.unreachable')}>
          {t('policies.verdicts', { count: policy.unreachableAfter })},{' '}
          <Duration ms={policy.unreachableForMs} />
        </Field>
        <Field name={t('policies.stops')}>
          <Duration ms={policy.stopAfterMs} />, {t(`policies.from.${policy.stopEffective}`)}
        </Field>
        <Field name={t('policies.confirm')}>{t(`policies.with.${policy.confirmWith}`)}</Field>
        <Field name={t('policies.neverSeen')}>
          {t(policy.stopNeverSeen ? 'policies.yes' : 'policies.no')}
        </Field>
        <Field name={t('policies.missing')}>
          {typeof policy.missingFor === 'number' ? (
            <Duration ms={policy.missingFor} />
          ) : (
            t(`policies.missingIs.${policy.missingFor}`)
          )}
        </Field>
        <Field name={t('policies.watch')}>
          <Duration ms={policy.watchDeletedForMs} />
        </Field>
      </FieldList>
    </div>
  );
}

function Ledger({ system }: { readonly system: SystemData }) {
  const { t } = useTranslation('settings');
  const checkpoint = useQuery(checkpointQuery);
  const { log } = system;
  return (
    <section>
      <Title order={2} id="ledger" mb="xs">
        {t('ledger.title')}
      </Title>
      <FieldList>
        <Field name={t('ledger.version')}>{system.version}</Field>
        <Field name={t('ledger.rules')}>{system.rules}</Field>
        <Field name={t('ledger.store')}>{t(`ledger.storeIs.${system.store}`)}</Field>
        <Field name={t('ledger.position')}>
          <Count value={log.position} />
        </Field>
        <Field name={t('ledger.signed')}>
          <Count value={log.signed} />
        </Field>
        <Field name={t('ledger.origin')}>{log.origin}</Field>
        <Field name={t('ledger.deletion')}>{t(`ledger.deletionIs.${system.deletionMode}`)}</Field>
        <Field name={t('ledger.grace')}>
          <Duration ms={system.graceMs} />
        </Field>
        <Field name={t('ledger.autoClose')}>{t(system.autoClose ? 'policies.yes' : 'policies.no')}</Field>
        <Field name={t('ledger.backdating')}>
          <Duration ms={system.backdatingMs} />
        </Field>
        <Field name={t('ledger.node')}>{system.nodeVersion}</Field>
      </FieldList>
      <Title order={3} mt="md" mb={4}>
        {t('ledger.checkpoint')}
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        {t('ledger.checkpointLead')}
      </Text>
      <Loaded query={checkpoint}>{(note) => <CopyText text={note} label={t('ledger.checkpoint')} />}</Loaded>
      <Text size="sm" mt="sm">
        <Anchor href="/log/key" inherit>
          {t('ledger.key')}
        </Anchor>
        {' · '}
        <Anchor href="/docs" inherit>
          {t('ledger.api')}
        </Anchor>
      </Text>
    </section>
  );
}
