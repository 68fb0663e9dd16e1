import { Anchor, Button, Group, NativeSelect, Paper, Stack, Text, Title } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { type Deletion, deletionListQuery, type ListedDeletion } from '../../data/deletions.ts';
import { DeletionSteps } from '../../ui/deletion-steps.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { Empty, LinesSkeleton, Loaded, NothingMatches } from '../../ui/states.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { DeletionActions } from './deletion-actions.tsx';

const STATES = [
  'stuck',
  'failed',
  'requested',
  'confirmed',
  'deprovisioning',
  'billing-stopped',
  'verified-gone',
  'cancelled',
] as const satisfies readonly Deletion['state'][];

/** Deletions that need somebody come first, then those that go on, then those that have ended. */
function rankOf({ state }: Pick<Deletion, 'state'>): number {
  if (state === 'stuck' || state === 'failed') return 0;
  return state === 'confirmed' || state === 'deprovisioning' || state === 'requested' ? 1 : 2;
}

/** Every delete as its steps. */
export default function DeletionsPage() {
  const { t } = useTranslation('deletions');
  const [url, setUrl] = useUrlState();
  const query = useInfiniteQuery(deletionListQuery);
  const state = url['state'] ?? '';
  return (
    <>
      <PageHeader title={t('title')} lead={t('lead')} />
      <Loaded query={query} skeleton={<LinesSkeleton lines={4} height={120} />}>
        {({ pages }) => {
          const all = pages.flatMap(({ items }) => items);
          if (all.length === 0) return <Empty title={t('empty')}>{t('emptyDetail')}</Empty>;
          const shown = all
            .filter((deletion) => state === '' || deletion.state === state)
            .sort((a, b) => rankOf(a) - rankOf(b));
          return (
            <Stack gap="md">
              <NativeSelect
                aria-label={t('state')}
                value={state}
                onChange={({ currentTarget: { value } }) =>
                  setUrl({ state: value === '' ? undefined : value })
                }
                data={[
                  { value: '', label: t('everyState') },
                  ...STATES.map((value) => ({ value, label: t(`common:deletion.state.${value}`) })),
                ]}
                w="fit-content"
              />
              {shown.map((deletion) => (
                <DeletionCard key={deletion.deletionId} deletion={deletion} />
              ))}
              {shown.length === 0 && <NothingMatches onClear={() => setUrl({ state: undefined })} />}
              {query.hasNextPage && (
                <Button
                  variant="default"
                  loading={query.isFetchingNextPage}
                  onClick={() => void query.fetchNextPage()}
                >
                  {t('more')}
                </Button>
              )}
            </Stack>
          );
        }}
      </Loaded>
    </>
  );
}

function DeletionCard({ deletion }: { readonly deletion: ListedDeletion }) {
  const { t } = useTranslation('deletions');
  const { clusterId, name, accountId, state } = deletion;
  return (
    <Paper component="article" withBorder p="md" aria-label={t('of', { name: name ?? clusterId })}>
      <Group justify="space-between" align="flex-start" mb="sm" gap="xs">
        <div className="breakable">
          <Title order={2} className="name">
            <Anchor
              component={Link}
              to={'/clusters/$clusterId' as never}
              params={{ clusterId } as never}
              inherit
            >
              {name ?? clusterId}
            </Anchor>
          </Title>
          <Text size="sm" c="dimmed" className="name">
            {t(`common:deletion.state.${state}`)}
            {accountId !== null && ` · ${accountId}`}
          </Text>
        </div>
        <DeletionActions deletion={deletion} />
      </Group>
      <DeletionSteps deletion={deletion} />
    </Paper>
  );
}
