import { Button, Group, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Alert } from '../../data/alerts.ts';
import { useMayCall } from '../../data/caller.ts';
import { Field, FieldList } from '../../ui/field-list.tsx';
import { BilledTime } from '../../ui/figures.tsx';
import { SeverityIcon } from '../../ui/icons.tsx';
import { Age, Instant } from '../../ui/times.tsx';
import { Acknowledge } from './acknowledge.tsx';
import { wordsOf } from './alert-words.ts';

/** Returns the page where something can be done about an alert, and the key of its name. */
function placeOf({
  kind,
  clusterId,
  accountId,
  subject,
}: Alert): readonly [to: string, key: string, tab?: string] | undefined {
  if (kind === 'event-rejected') return ['/events', 'rejected', 'rejected'];
  if (kind === 'delivery-parked' || kind === 'webhook-disabled')
    return [`/delivery/${encodeURIComponent(subject)}`, 'webhook'];
  if (kind === 'validator-stale' || kind === 'mass-unreachable') return ['/validator', 'validator'];
  if (kind === 'statement-drift') return ['/periods', 'periods'];
  if (clusterId !== undefined) return [`/clusters/${encodeURIComponent(clusterId)}`, 'cluster'];
  if (accountId !== undefined) return [`/accounts/${encodeURIComponent(accountId)}`, 'account'];
  return undefined;
}

/**
 * An alert: what happened, since when, what it does to the bill, and what to do next.
 * @param isWhole whether the values behind it are shown too
 */
export function AlertCard({ alert, isWhole = false }: { readonly alert: Alert; readonly isWhole?: boolean }) {
  const { t, i18n } = useTranslation('alerts');
  const mayCall = useMayCall();
  const [isAcknowledging, setAcknowledging] = useState(false);
  const { id, kind, severity, state, raisedAt, resolvedAt, acknowledged, atStake } = alert;
  const words = wordsOf(alert, i18n.language);
  const place = placeOf(alert);
  const headingId = `alert-${id}`;
  return (
    <article
      className="alert-card"
      data-severity={state === 'open' ? severity : undefined}
      aria-labelledby={headingId}
    >
      <Group justify="space-between" align="flex-start" gap="xs">
        <Group gap={8} wrap="nowrap" align="flex-start" className="breakable">
          <SeverityIcon severity={severity} />
          <Title order={3} id={headingId}>
            {isWhole ? (
              t(`kind.${kind}`)
            ) : (
              <Link to={`/alerts/${encodeURIComponent(id)}`}>{t(`kind.${kind}`)}</Link>
            )}
          </Title>
        </Group>
        <Text size="sm" c="dimmed">
          {t(`severityIs.${severity}`)} · {t(`is.${state}`)} · <Age at={raisedAt} />
        </Text>
      </Group>
      <Text className="alert-happened breakable">{words.happened}</Text>
      <FieldList>
        <Field name={t('since')}>
          <Instant at={raisedAt} />
        </Field>
        <Field name={t('bill')}>
          {words.bill}
          {atStake !== undefined && (
            <>
              {' '}
              {t('stake')} <BilledTime seconds={atStake.clusterSeconds} />
            </>
          )}
        </Field>
        <Field name={t('next')}>{state !== 'resolved' && words.next}</Field>
        <Field name={t('resolved')}>{resolvedAt !== undefined && <Instant at={resolvedAt} />}</Field>
        <Field name={t('acknowledgedBy')}>
          {acknowledged !== undefined && (
            <>
              <span className="name">{acknowledged.by}</span>, <Instant at={acknowledged.at} />
              {acknowledged.until !== undefined && (
                <>
                  {', '}
                  {t('silentUntil')} <Instant at={acknowledged.until} />
                </>
              )}
              {acknowledged.note !== undefined && <div className="name">{acknowledged.note}</div>}
            </>
          )}
        </Field>
        {isWhole &&
          Object.entries(alert.data).map(([name, value]) => (
            <Field key={name} name={name}>
              <span className="name">{value}</span>
            </Field>
          ))}
      </FieldList>
      <Group gap="xs" mt="sm">
        {state === 'open' && mayCall('acknowledgeAlert') && (
          <Button
            size="xs"
            variant={isWhole ? 'filled' : 'default'}
            aria-label={t('acknowledgeOf', { kind: t(`kind.${kind}`), subject: alert.subject })}
            onClick={() => setAcknowledging(true)}
          >
            {t('acknowledge')}
          </Button>
        )}
        {place !== undefined && (
          <Button
            size="xs"
            variant="default"
            renderRoot={(props) => <Link {...props} to={place[0]} search={{ tab: place[2] } as never} />}
          >
            {t(`open.${place[1]}`)}
          </Button>
        )}
      </Group>
      <Acknowledge alert={alert} isOpen={isAcknowledging} onClose={() => setAcknowledging(false)} />
    </article>
  );
}
