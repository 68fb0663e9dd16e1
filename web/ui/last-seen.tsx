import { Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Cluster } from '../data/clusters.ts';
import { Age } from './times.tsx';

/** When a probe last found a cluster alive, or why that is not known. */
export function LastSeen({
  cluster: { lastSeen, lastVerdict, stoppedBy },
}: {
  readonly cluster: Pick<Cluster, 'lastSeen' | 'lastVerdict' | 'stoppedBy'>;
}) {
  const { t } = useTranslation();
  if (lastSeen !== undefined) return <Age at={lastSeen} />;
  // Another program than the validator of this ledger may have reported it.
  const isUnreachable = lastVerdict !== undefined || stoppedBy.includes('unreachable');
  return (
    <Text span size="sm" c="dimmed">
      {t(isUnreachable ? 'lastSeen.unreachable' : 'lastSeen.never')}
    </Text>
  );
}
