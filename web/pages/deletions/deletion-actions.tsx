import { Button, Group } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMay } from '../../data/caller.ts';
import { clusterQuery } from '../../data/clusters.ts';
import { cancelDeletion, type Deletion } from '../../data/deletions.ts';
import { Failed } from '../../ui/states.tsx';
import { DeleteDialog } from '../cluster/lazy-dialogs.tsx';

/** Cancels a deletion, or begins it again if it does not go on. */
export function DeletionActions({ deletion }: { readonly deletion: Deletion }) {
  const { t } = useTranslation('common');
  const mayDelete = useMay('customer');
  const client = useQueryClient();
  const [isRetrying, setRetrying] = useState(false);
  const cancelling = useMutation({
    mutationFn: () => cancelDeletion(deletion),
    onSettled: () => client.invalidateQueries({ queryKey: ['deletions'] }),
  });
  const { clusterId, state } = deletion;
  const isOpen = deletion.deleted === undefined && deletion.cancelled === undefined;
  if (!mayDelete || deletion.deleted !== undefined) return null;
  const mayRetry = state === 'stuck' || state === 'failed' || state === 'cancelled';
  const retry = async () => {
    // A deletion that is under way keeps a new one from being requested.
    if (isOpen) await cancelling.mutateAsync();
    setRetrying(true);
  };
  return (
    <div>
      <Group gap="xs">
        {mayRetry && (
          <Button variant="default" size="xs" loading={cancelling.isPending} onClick={() => void retry()}>
            {t('deletion.retry')}
          </Button>
        )}
        {isOpen && (
          <Button
            variant="default"
            size="xs"
            loading={cancelling.isPending}
            onClick={() => cancelling.mutate()}
          >
            {t('deletion.cancel')}
          </Button>
        )}
      </Group>
      {cancelling.error !== null && <Failed error={cancelling.error} />}
      {isRetrying && <RetryDialog clusterId={clusterId} onClose={() => setRetrying(false)} />}
    </div>
  );
}

function RetryDialog({ clusterId, onClose }: { readonly clusterId: string; readonly onClose: () => void }) {
  const { data, error } = useQuery(clusterQuery(clusterId));
  if (data === undefined) return error === null ? null : <Failed error={error} />;
  return <DeleteDialog cluster={data} onClose={onClose} />;
}
