import { Button, Skeleton, Stack, VisuallyHidden } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Role } from '../data/caller.ts';
import { RequestFailed } from '../data/problem.ts';
import { Notice } from './notice.tsx';
import { Age } from './times.tsx';

/** Lines in the shape of what is being loaded. @param lines number of lines. @param height height of each, in pixels. */
export function LinesSkeleton({
  lines = 6,
  height = 28,
}: {
  readonly lines?: number;
  readonly height?: number;
}) {
  const { t } = useTranslation();
  return (
    <Stack gap="sm" aria-busy="true">
      <VisuallyHidden role="status">{t('state.loading')}</VisuallyHidden>
      {Array.from({ length: lines }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines never change.
        <Skeleton key={i} height={height} />
      ))}
    </Stack>
  );
}

/** A page that is being loaded. */
export function PageSkeleton() {
  return (
    <Stack gap="lg">
      <Skeleton height={32} width={220} />
      <LinesSkeleton lines={10} />
    </Stack>
  );
}

/** The problem of a request, with its id, and a button to send it again. */
export function Failed({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const { t } = useTranslation();
  const retry = onRetry && (
    <Button variant="default" size="xs" onClick={onRetry}>
      {t('state.retry')}
    </Button>
  );
  if (!(error instanceof RequestFailed))
    return (
      <Notice severity="critical" title={t('state.failed')} action={retry}>
        {String(error)}
      </Notice>
    );
  if (error.isUnreachable)
    return (
      <Notice severity="critical" title={t('state.unreachable')} action={retry}>
        {t('state.unreachableDetail')}
      </Notice>
    );
  return (
    <Notice
      severity="critical"
      title={error.title}
      action={retry}
      detail={error.requestId !== undefined && t('state.requestId', { id: error.requestId })}
    >
      {error.fields.length === 0
        ? error.message
        : error.fields.map(({ pointer, detail }) => <div key={pointer}>{`${pointer}: ${detail}`}</div>)}
    </Notice>
  );
}

/** Says that the role of the caller may not see something. */
export function Forbidden({ role }: { readonly role: Role }) {
  const { t } = useTranslation();
  return (
    <Notice severity="warning" title={t('state.forbidden')}>
      {t('state.forbiddenDetail', { role: t(`role.${role}`) })}
    </Notice>
  );
}

/** Says that there is nothing yet, and what to do first. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return <Notice title={title}>{children}</Notice>;
}

/** Says that no item has the chosen filters. */
export function NothingMatches({ onClear }: { readonly onClear: () => void }) {
  const { t } = useTranslation();
  return (
    <Notice
      title={t('state.nothingMatches')}
      action={
        <Button variant="default" size="xs" onClick={onClear}>
          {t('state.clearFilters')}
        </Button>
      }
    />
  );
}

/** Says that a part of the answer is missing, and why. */
export function Partial({ children }: { readonly children: ReactNode }) {
  const { t } = useTranslation();
  return (
    <Notice severity="warning" title={t('state.partial')}>
      {children}
    </Notice>
  );
}

interface LoadedProps<T> {
  readonly query: UseQueryResult<T>;
  /** Shown before the first answer; as large as the answer, so that nothing moves. */
  readonly skeleton?: ReactNode;
  readonly children: (data: T) => ReactNode;
}

/** Shows an answer, or that it is being loaded or failed. An answer stays when it cannot be read again, with its age. */
export function Loaded<T>({ query, skeleton, children }: LoadedProps<T>) {
  const { data, error, refetch } = query;
  if (data === undefined) {
    if (error === null) return skeleton ?? <LinesSkeleton />;
    return <Failed error={error} onRetry={() => void refetch()} />;
  }
  return (
    <>
      <Outdated queries={[query]} />
      {children(data)}
    </>
  );
}

/** Says that an answer that is shown could not be read again, and how old it is. */
export function Outdated({ queries }: { readonly queries: readonly UseQueryResult<unknown>[] }) {
  const { t } = useTranslation();
  // While the ledger does not answer at all, the shell says so for the whole page.
  const outdated = queries.filter(
    ({ data, error }) =>
      data !== undefined && error !== null && !(error instanceof RequestFailed && error.isUnreachable),
  );
  if (outdated.length === 0) return null;
  const retry = () => {
    for (const { refetch } of outdated) void refetch();
  };
  return (
    <Notice
      severity="warning"
      title={t('state.outdated')}
      action={
        <Button variant="default" size="xs" onClick={retry}>
          {t('state.retry')}
        </Button>
      }
    >
      <Age at={Math.min(...outdated.map(({ dataUpdatedAt }) => dataUpdatedAt))} />
    </Notice>
  );
}
