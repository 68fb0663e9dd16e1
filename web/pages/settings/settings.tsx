import { Stack, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useCaller, useMayCall } from '../../data/caller.ts';
import { Field, FieldList } from '../../ui/field-list.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { Instant } from '../../ui/times.tsx';
import { Keys } from './keys.tsx';
import { System } from './system.tsx';

/** Who the viewer is, the API keys, and how this ledger is configured. */
export default function SettingsPage() {
  const { t } = useTranslation('settings');
  const mayCall = useMayCall();
  return (
    <>
      <PageHeader title={t('title')} />
      <Stack gap="xl">
        <WhoAmI />
        {mayCall('listKeys') && <Keys />}
        {mayCall('getSystem') && <System />}
      </Stack>
    </>
  );
}

function WhoAmI() {
  const { t } = useTranslation('settings');
  const { actor, role, accountId, name, endsAt, state } = useCaller();
  return (
    <section>
      <Title order={2} id="you" mb="xs">
        {t('you.title')}
      </Title>
      <FieldList>
        <Field name={t('you.name')}>{name !== undefined && <span className="name">{name}</span>}</Field>
        <Field name={t('you.actor')}>{actor}</Field>
        <Field name={t('you.role')}>{`${t(`common:role.${role}`)} – ${t(`you.does.${role}`)}`}</Field>
        <Field name={t('you.account')}>
          {accountId !== undefined && <span className="name">{accountId}</span>}
        </Field>
        <Field name={t('you.session')}>
          {state === 'open' ? t('you.open') : endsAt !== undefined && <Instant at={endsAt} />}
        </Field>
      </FieldList>
    </section>
  );
}
