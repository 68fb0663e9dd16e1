import { Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { eventQuery, type ProvedEvent } from '../../data/events.ts';
import { shortType } from '../../data/feed.ts';
import { CopyText } from '../../ui/copy-text.tsx';
import { Field, FieldList } from '../../ui/field-list.tsx';
import { Count } from '../../ui/figures.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { Loaded, Partial } from '../../ui/states.tsx';
import { Instant } from '../../ui/times.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { Subject } from './subject.tsx';

/** One event: what it says, its raw form, and the proof that it is in the signed log. */
export function OneEvent({ eventId }: { readonly eventId: string }) {
  const { t } = useTranslation('events');
  const [url] = useUrlState();
  const query = useQuery(eventQuery(eventId, url.position));
  return (
    <Loaded query={query}>
      {({ event, proof }) => (
        <>
          <PageHeader
            title={t(`typeIs.${shortType(event.type).replace('.', '-')}`, shortType(event.type))}
            lead={<Link to="/events">{t('all')}</Link>}
          />
          <Stack gap="xl">
            <FieldList>
              <Field name={t('subject')}>
                <Subject event={event} />
              </Field>
              <Field name={t('time')}>
                <Instant at={event.time} precision="second" />
              </Field>
              <Field name={t('recorded')}>
                <Instant at={event.recordedtime} precision="second" />
              </Field>
              <Field name={t('source')}>
                <span className="name">{event.source}</span>
              </Field>
              <Field name={t('id')}>
                <span className="name">{event.id}</span>
              </Field>
              <Field name={t('eventId')}>{event.ledgereventid}</Field>
              <Field name={t('position')}>
                <Count value={event.ledgerposition} />
              </Field>
            </FieldList>
            <section>
              <Title order={2} mb="xs">
                {t('raw')}
              </Title>
              <CopyText text={JSON.stringify(event, null, 2)} label={t('raw')} />
            </section>
            <Proof proof={proof} />
          </Stack>
        </>
      )}
    </Loaded>
  );
}

function Proof({ proof }: Pick<ProvedEvent, 'proof'>) {
  const { t } = useTranslation('events');
  if (proof === undefined) return <Partial>{t('proof.absent')}</Partial>;
  const size = 'treeSize' in proof ? proof.treeSize : proof.size;
  return (
    <section>
      <Title order={2} mb={4}>
        {t('proof.title')}
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        {t('proof.lead')}
      </Text>
      <FieldList>
        <Field name={t('proof.leaf')}>
          <Count value={proof.leafIndex} />
        </Field>
        <Field name={t('proof.size')}>
          <Count value={size} />
        </Field>
        <Field name={t('proof.hash')}>{proof.leafHash}</Field>
      </FieldList>
      <Stack mt="sm">
        <CopyText text={JSON.stringify(proof, null, 2)} label={t('proof.title')} />
        {'checkpoint' in proof && <CopyText text={proof.checkpoint} label={t('proof.checkpoint')} />}
      </Stack>
    </section>
  );
}
