import { Button, Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMayCall } from '../../data/caller.ts';
import { beginningQuery, type Period } from '../../data/periods.ts';
import { monthName } from '../../ui/months.ts';
import { Notice } from '../../ui/notice.tsx';
import { LinesSkeleton, Loaded } from '../../ui/states.tsx';
import { Instant } from '../../ui/times.tsx';

const BeginningSteps = lazy(() => import('./beginning-steps.tsx'));

/** With which period statements begin: as it is recorded, or how to set it while that is possible. */
export function Beginning({ periods }: { readonly periods: readonly Period[] }) {
  const { t, i18n } = useTranslation('periods');
  const mayCall = useMayCall();
  const [isOpen, setOpen] = useState(false);
  const query = useQuery(beginningQuery);
  const first = periods[0];
  return (
    <Loaded query={query}>
      {(beginning) => {
        if (beginning !== null)
          return (
            <Text size="sm" c="dimmed" className="breakable">
              {t('beginning.recorded', { name: monthName(beginning.period, i18n.language) })}{' '}
              <Instant at={beginning.at} precision="day" />
              {': '}
              <span className="name">{beginning.reason}</span>
            </Text>
          );
        if (first === undefined || first.state === 'closed') return null;
        if (isOpen)
          return (
            <Suspense fallback={<LinesSkeleton lines={4} />}>
              <BeginningSteps first={first} onDone={() => setOpen(false)} />
            </Suspense>
          );
        return (
          <Notice title={t('beginning.none', { name: monthName(first.period, i18n.language) })}>
            {t('beginning.noneDetail')}
            {mayCall('beginBilling') && (
              <Group mt="xs">
                <Button size="xs" variant="default" onClick={() => setOpen(true)}>
                  {t('beginning.start')}
                </Button>
              </Group>
            )}
          </Notice>
        );
      }}
    </Loaded>
  );
}
