import { Button, Group, Paper, SimpleGrid, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMayCall } from '../../data/caller.ts';
import { factQuery, type Statement } from '../../data/usage.ts';
import { FactCard, factTypeOf } from '../../ui/fact-card.tsx';
import { BilledTime, SignedCount } from '../../ui/figures.tsx';
import { LinesSkeleton, Loaded } from '../../ui/states.tsx';

type Adjustment = Statement['adjustments'][number];

/** Number of facts that are shown at first. */
const FIRST = 4;

/** An adjustment of an earlier period: before, after, and the facts that caused it. */
export function AdjustmentFacts({ adjustment }: { readonly adjustment: Adjustment }) {
  const { t } = useTranslation('usage');
  const mayCall = useMayCall();
  const [isAll, setAll] = useState(false);
  const { period, before, after, delta, facts } = adjustment;
  const shown = isAll ? facts : facts.slice(0, FIRST);
  return (
    <Paper component="section" withBorder p="md" aria-label={t('statement.adjustment', { period })}>
      <Group justify="space-between" gap="xs" mb="xs">
        <Text component="h3" fw={600} m={0}>
          {t('statement.adjustment', { period })}
        </Text>
        <Text component="span" fw={600}>
          <BilledTime seconds={delta.clusterSeconds} isSigned />
        </Text>
      </Group>
      <Text size="sm" mb="sm">
        {t('statement.before')} <BilledTime seconds={before.clusterSeconds} /> (
        <SignedCount value={before.billableClusters} />) → {t('statement.after')}{' '}
        <BilledTime seconds={after.clusterSeconds} /> (<SignedCount value={after.billableClusters} />)
      </Text>
      {mayCall('getEvent') ? (
        <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
          {shown.map((eventId) => (
            <AdjustingFact key={eventId} eventId={eventId} />
          ))}
        </SimpleGrid>
      ) : (
        <Text size="sm" className="breakable">
          {t('statement.factIds')} {shown.map((eventId) => eventId).join(', ')}
        </Text>
      )}
      {shown.length < facts.length && (
        <Button variant="default" size="xs" mt="sm" onClick={() => setAll(true)}>
          {t('statement.moreFacts', { count: facts.length - shown.length })}
        </Button>
      )}
    </Paper>
  );
}

function AdjustingFact({ eventId }: { readonly eventId: string }) {
  const { t } = useTranslation('usage');
  const query = useQuery(factQuery(eventId));
  return (
    <Loaded query={query} skeleton={<LinesSkeleton lines={1} height={260} />}>
      {(event) => (
        <FactCard
          title={t('statement.cause')}
          fact={{
            eventId,
            position: event.ledgerposition,
            type: factTypeOf(event.type) as Parameters<typeof FactCard>[0]['fact']['type'],
            clusterId: event.subject,
            source: event.source,
            id: event.id,
            actor: String(event.ledgeractor ?? ''),
            effectiveAt: event.time,
            recordedAt: event.recordedtime,
          }}
        />
      )}
    </Loaded>
  );
}
