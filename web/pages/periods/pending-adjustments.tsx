import { Accordion, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { type PendingAdjustments as Pending, pendingAdjustmentsQuery } from '../../data/periods.ts';
import { FactCard } from '../../ui/fact-card.tsx';
import { BilledTime, SignedCount } from '../../ui/figures.tsx';
import { Notice } from '../../ui/notice.tsx';
import { PageLink } from '../../ui/page-link.tsx';
import { LinesSkeleton, Loaded, Partial } from '../../ui/states.tsx';

type Adjustment = Pending['items'][number]['adjustments'][number];

/** Facts that were recorded after a closing, and the adjustments that they will cause. */
export function PendingAdjustments() {
  const { t } = useTranslation('periods');
  const query = useQuery(pendingAdjustmentsQuery);
  return (
    <section aria-labelledby="late">
      <Title order={2} id="late">
        {t('late.title')}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {t('late.lead')}
      </Text>
      <Loaded query={query} skeleton={<LinesSkeleton lines={1} height={58} />}>
        {({ items, next, since }) => {
          if (since === null) return <Notice title={t('late.noneClosed')} />;
          if (items.length === 0) return <Notice severity="good" title={t('late.none')} />;
          return (
            <Stack gap="sm">
              {next !== undefined && <Partial>{t('late.partial', { count: items.length })}</Partial>}
              <Accordion variant="separated" multiple order={3}>
                {items.flatMap(({ accountId, adjustments }) =>
                  adjustments.map((adjustment) => (
                    <Late
                      key={`${accountId} ${adjustment.period}`}
                      accountId={accountId}
                      adjustment={adjustment}
                    />
                  )),
                )}
              </Accordion>
            </Stack>
          );
        }}
      </Loaded>
    </section>
  );
}

function Late({ accountId, adjustment }: { readonly accountId: string; readonly adjustment: Adjustment }) {
  const { t } = useTranslation('periods');
  const { period, delta, before, after, facts } = adjustment;
  return (
    <Accordion.Item value={`${accountId} ${period}`}>
      <Accordion.Control>
        <span className="late-head">
          <span className="name late-account">{accountId}</span>
          <span>{period}</span>
          <span className="late-delta">
            <BilledTime seconds={delta.clusterSeconds} isSigned />
            <span>
              {t('late.clusters')} <SignedCount value={delta.billableClusters} />
            </span>
          </span>
        </span>
      </Accordion.Control>
      <Accordion.Panel>
        <Stack gap="sm">
          <Text size="sm">
            {t('late.before')} <BilledTime seconds={before.clusterSeconds} /> → {t('late.after')}{' '}
            <BilledTime seconds={after.clusterSeconds} />
            {'. '}
            <PageLink to="/usage" search={{ account: accountId, period }}>
              {t('late.explain')}
            </PageLink>
          </Text>
          {facts.map((fact) => (
            <FactCard key={fact.eventId} title={t('late.cause')} fact={fact} />
          ))}
        </Stack>
      </Accordion.Panel>
    </Accordion.Item>
  );
}
