import { Paper, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { FactRef } from '../../src/api/fact-ref.ts';
import { Field, FieldList } from './field-list.tsx';
import { PageLink } from './page-link.tsx';
import { utcText } from './times.tsx';

/** Returns the type of a fact from the type of its CloudEvent, such as `io.clusterledger.cluster.registered.v1`. */
export function factTypeOf(cloudEventType: string): string {
  const [, name = cloudEventType] = /^io\.clusterledger\.(.*)\.v\d+$/.exec(cloudEventType) ?? [];
  return name.replace(/(?:^|[.-])(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Returns the name of a type of facts, such as `ClusterRegistered`, in words. */
export function useFactName(): (type: string) => string {
  const { t } = useTranslation();
  return (type) => t(`factType.${type}`, { defaultValue: type });
}

/** A fact: what it says, since when that is true, who posted it, and when the ledger learnt it. */
export function FactCard({ title, fact }: { readonly title: string; readonly fact: FactRef }) {
  const { t } = useTranslation();
  const factName = useFactName();
  return (
    <Paper component="article" withBorder p="sm" aria-label={`${title}: ${factName(fact.type)}`}>
      <Text size="sm" c="dimmed">
        {title}
      </Text>
      <Text fw={600}>{factName(fact.type)}</Text>
      <FieldList>
        <Field name={t('fact.effective')}>
          <time dateTime={fact.effectiveAt}>{preciseUtc(fact.effectiveAt)}</time>
        </Field>
        <Field name={t('fact.recorded')}>
          <time dateTime={fact.recordedAt}>{preciseUtc(fact.recordedAt)}</time>
        </Field>
        <Field name={t('fact.cluster')}>
          <PageLink to="/clusters/$clusterId" params={{ clusterId: fact.clusterId }}>
            <span className="name">{fact.clusterId}</span>
          </PageLink>
        </Field>
        <Field name={t('fact.actor')}>
          {fact.actor !== '' && <span className="name">{fact.actor}</span>}
        </Field>
        <Field name={t('fact.source')}>
          <span className="name">{fact.source}</span>
        </Field>
        <Field name={t('fact.id')}>
          <span className="name">{fact.id}</span>
        </Field>
        <Field name={t('fact.position')}>
          <span className="figure">{fact.position}</span>
        </Field>
        <Field name={t('fact.eventId')}>
          <code>{fact.eventId}</code>
        </Field>
      </FieldList>
    </Paper>
  );
}

/** Returns a time in UTC to the millisecond, which billing uses. */
export function preciseUtc(at: string): string {
  const fraction = new Date(at).toISOString().slice(19, 23);
  return utcText(at).replace(' UTC', `${fraction === '.000' ? '' : fraction} UTC`);
}
