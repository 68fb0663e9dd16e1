import { useTranslation } from 'react-i18next';
import type { Cluster } from '../data/clusters.ts';
import { Icon, type IconName } from './icons.tsx';

/** The states of a cluster, in the order in which lists show them. */
export const CLUSTER_STATES = [
  'billed',
  'stopped',
  'pending',
  'free',
  'deleted',
  'orphan',
  'voided',
] as const satisfies readonly Cluster['status'][];

const ICONS: Readonly<Record<Cluster['status'], IconName>> = {
  billed: 'billed',
  stopped: 'notBilled',
  pending: 'pending',
  free: 'notBilled',
  deleted: 'close',
  orphan: 'warning',
  voided: 'close',
};

/** The state of a cluster: an icon and a word. */
export function StateMark({ status }: { readonly status: Cluster['status'] }) {
  const { t } = useTranslation();
  return (
    <span className="state-mark" data-status={status}>
      <Icon name={ICONS[status]} size={14} />
      {t(`clusterState.${status}`)}
    </span>
  );
}
