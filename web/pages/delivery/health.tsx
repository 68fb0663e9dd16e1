import { Group } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Webhook } from '../../data/webhooks.ts';
import { type Severity, SeverityIcon } from '../../ui/icons.tsx';
import { Age } from '../../ui/times.tsx';

/** How a webhook does, the worst first. */
export type Health = 'disabled' | 'failing' | 'parked' | 'waiting' | 'fine';
const SEVERITIES: Readonly<Record<Health, Severity>> = {
  disabled: 'critical',
  failing: 'critical',
  parked: 'warning',
  waiting: 'info',
  fine: 'good',
};
export const HEALTHS = Object.keys(SEVERITIES) as readonly Health[];

export function healthOf({ state, delivery }: Webhook): Health {
  if (state === 'disabled') return 'disabled';
  if (delivery.failingSince !== undefined) return 'failing';
  if (delivery.parked > 0) return 'parked';
  return delivery.outstanding > 0 ? 'waiting' : 'fine';
}

/** How a webhook does, in a word and since when. */
export function HealthBadge({ webhook }: { readonly webhook: Webhook }) {
  const { t } = useTranslation('delivery');
  const health = healthOf(webhook);
  const since = webhook.disabled?.since ?? webhook.delivery.failingSince;
  return (
    <Group gap={6} wrap="nowrap">
      <SeverityIcon severity={SEVERITIES[health]} size={17} />
      <span>
        {t(`health.${health}`)}
        {since !== undefined && (
          <>
            {' · '}
            <Age at={since} />
          </>
        )}
      </span>
    </Group>
  );
}
