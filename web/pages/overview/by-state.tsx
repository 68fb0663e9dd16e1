import { Paper, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useMay } from '../../data/caller.ts';
import type { Overview } from '../../data/overview.ts';
import { Count } from '../../ui/figures.tsx';
import { CLUSTER_STATES, StateMark } from '../../ui/state-mark.tsx';

/** The number of clusters in each state, each a way to the list of them. */
export function ByState({ clusters }: { readonly clusters: Overview['clusters'] }) {
  const { t } = useTranslation('overview');
  const mayList = useMay('auditor', 'customer');
  const total = Object.values(clusters).reduce((sum, count) => sum + count, 0);
  return (
    <Paper component="section" withBorder p="md" aria-label={t('byState')}>
      <Title order={2} mb="sm">
        {t('byState')}
      </Title>
      {CLUSTER_STATES.map((status) => {
        const count = clusters[status];
        const bar = (
          <>
            <span className="state-bar-name">
              <StateMark status={status} />
            </span>
            <span className="state-bar-track">
              <span className="state-bar-fill" style={{ width: `${(count / Math.max(1, total)) * 100}%` }} />
            </span>
            <span className="state-bar-count">
              <Count value={count} />
            </span>
          </>
        );
        return mayList ? (
          <Link key={status} to={'/clusters' as never} search={{ status } as never} className="state-bar">
            {bar}
          </Link>
        ) : (
          <div key={status} className="state-bar">
            {bar}
          </div>
        );
      })}
    </Paper>
  );
}
