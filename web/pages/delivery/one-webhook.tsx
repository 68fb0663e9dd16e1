import { Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { webhookQuery } from '../../data/webhooks.ts';
import { Field, FieldList } from '../../ui/field-list.tsx';
import { Count } from '../../ui/figures.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { Loaded } from '../../ui/states.tsx';
import { Age, Instant } from '../../ui/times.tsx';
import { Attempts, Parked } from './attempts.tsx';
import { HealthBadge } from './health.tsx';
import { WebhookActions } from './webhook-actions.tsx';

/** A webhook: how it does, its last deliveries, and what is parked. */
export function OneWebhook({ webhookId }: { readonly webhookId: string }) {
  const { t } = useTranslation('delivery');
  const query = useQuery(webhookQuery(webhookId));
  return (
    <Loaded query={query}>
      {(webhook) => {
        const { url, description, types, disabled, delivery, createdAt, formerSecretUntil } = webhook;
        return (
          <>
            <PageHeader
              title={description ?? url}
              lead={<Link to="/delivery">{t('all')}</Link>}
              actions={<WebhookActions webhook={webhook} />}
            />
            <Stack gap="xl">
              <FieldList>
                <Field name={t('state')}>
                  <HealthBadge webhook={webhook} />
                </Field>
                <Field name={t('disabledWhy')}>{disabled?.reason}</Field>
                <Field name={t('url')}>
                  <span className="name">{url}</span>
                </Field>
                <Field name={t('types')}>{types.length === 0 ? t('allTypes') : types.join(', ')}</Field>
                <Field name={t('outstanding')}>
                  <Count value={delivery.outstanding} />
                </Field>
                <Field name={t('parked')}>
                  <Count value={delivery.parked} />
                </Field>
                <Field name={t('position')}>
                  <Count value={delivery.position} />
                </Field>
                <Field name={t('lastSuccess')}>
                  {delivery.lastSuccessAt === undefined ? t('never') : <Age at={delivery.lastSuccessAt} />}
                </Field>
                <Field name={t('bothSecrets')}>
                  {formerSecretUntil !== undefined && <Instant at={formerSecretUntil} />}
                </Field>
                <Field name={t('createdAt')}>
                  <Instant at={createdAt} />
                </Field>
              </FieldList>
              <Parked webhook={webhook} />
              <Attempts webhook={webhook} />
            </Stack>
          </>
        );
      }}
    </Loaded>
  );
}
