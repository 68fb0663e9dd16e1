import { Button, Group, NativeSelect, SegmentedControl, Stack, Title } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import {
  type Alert,
  type AlertSeverity,
  type AlertState,
  alertListQuery,
  alertQuery,
} from '../../data/alerts.ts';
import { SeverityIcon } from '../../ui/icons.tsx';
import { Notice } from '../../ui/notice.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { LinesSkeleton, Loaded, NothingMatches, Outdated } from '../../ui/states.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { AlertCard } from './alert-card.tsx';
import './alerts.css';

const STATES: readonly AlertState[] = ['open', 'acknowledged', 'resolved'];
const SEVERITIES: readonly AlertSeverity[] = ['critical', 'warning', 'info'];

function isOneOf<T extends string>(values: readonly T[], text: string | undefined): text is T {
  return values.some((value) => value === text);
}

/** The matters that somebody has to look at: all alerts, or one that a link names. */
export default function AlertsPage() {
  const { alertId } = useParams({ strict: false }) as { readonly alertId?: string };
  return alertId === undefined ? <AlertList /> : <OneAlert alertId={alertId} />;
}

function OneAlert({ alertId }: { readonly alertId: string }) {
  const { t } = useTranslation('alerts');
  const query = useQuery(alertQuery(alertId));
  return (
    <>
      <PageHeader title={t('title')} lead={<Link to="/alerts">{t('all')}</Link>} />
      <Loaded query={query} skeleton={<LinesSkeleton lines={1} height={220} />}>
        {(alert) => <AlertCard alert={alert} isWhole />}
      </Loaded>
    </>
  );
}

function AlertList() {
  const { t } = useTranslation('alerts');
  const [url, setUrl] = useUrlState();
  const state = isOneOf(STATES, url.state) ? url.state : 'open';
  const severity = isOneOf(SEVERITIES, url.severity) ? url.severity : undefined;
  return (
    <>
      <PageHeader title={t('title')} lead={t('lead')} />
      <Group mb="md" gap="sm">
        <SegmentedControl
          aria-label={t('state')}
          value={state}
          onChange={(next) => setUrl({ state: next === 'open' ? undefined : next })}
          data={STATES.map((value) => ({ value, label: t(`is.${value}`) }))}
        />
        <NativeSelect
          aria-label={t('severity')}
          value={severity ?? ''}
          onChange={({ currentTarget: { value } }) => setUrl({ severity: value })}
          data={[
            { value: '', label: t('anySeverity') },
            ...SEVERITIES.map((value) => ({ value, label: t(`severityIs.${value}`) })),
          ]}
        />
      </Group>
      {state === 'resolved' ? (
        <Resolved severity={severity} />
      ) : (
        <BySeverity state={state} chosen={severity} />
      )}
    </>
  );
}

function BySeverity({
  state,
  chosen,
}: {
  readonly state: AlertState;
  readonly chosen: AlertSeverity | undefined;
}) {
  const { t } = useTranslation('alerts');
  const [, setUrl] = useUrlState();
  // The number of severities never changes, so neither does the order of the hooks.
  const critical = useInfiniteQuery(alertListQuery({ state, severity: 'critical' }));
  const warning = useInfiniteQuery(alertListQuery({ state, severity: 'warning' }));
  const info = useInfiniteQuery(alertListQuery({ state, severity: 'info' }));
  const queries = { critical, warning, info };
  const shown = SEVERITIES.filter((severity) => chosen === undefined || chosen === severity);
  const failed = shown
    .map((severity) => queries[severity])
    .find(({ error, data }) => error !== null && data === undefined);
  if (failed !== undefined) return <Loaded query={failed}>{() => null}</Loaded>;
  if (shown.some((severity) => queries[severity].data === undefined))
    return <LinesSkeleton lines={4} height={150} />;
  const outdated = <Outdated queries={shown.map((severity) => queries[severity])} />;
  const alertsOf = (severity: AlertSeverity) =>
    queries[severity].data?.pages.flatMap(({ items }) => items) ?? [];
  if (shown.every((severity) => alertsOf(severity).length === 0)) {
    if (chosen !== undefined) return <NothingMatches onClear={() => setUrl({ severity: undefined })} />;
    return (
      <>
        {outdated}
        {state === 'open' ? (
          <Notice severity="good" title={t('nothingOpen')}>
            {t('nothingOpenDetail')}
          </Notice>
        ) : (
          <Notice title={t('nothingAcknowledged')} />
        )}
      </>
    );
  }
  return (
    <Stack gap="xl">
      {outdated}
      {shown
        .filter((severity) => alertsOf(severity).length > 0)
        .map((severity) => {
          const { hasNextPage, isFetchingNextPage, fetchNextPage } = queries[severity];
          const alerts = alertsOf(severity);
          return (
            <section key={severity} aria-labelledby={`severity-${severity}`}>
              <Group gap={8} mb="xs">
                <SeverityIcon severity={severity} />
                <Title order={2} id={`severity-${severity}`}>
                  {t('section', {
                    severity: t(`severityIs.${severity}`),
                    count: hasNextPage ? `${alerts.length}+` : String(alerts.length),
                  })}
                </Title>
              </Group>
              <Cards
                alerts={alerts}
                hasMore={hasNextPage}
                isLoading={isFetchingNextPage}
                onMore={() => void fetchNextPage()}
              />
            </section>
          );
        })}
    </Stack>
  );
}

function Resolved({ severity }: { readonly severity: AlertSeverity | undefined }) {
  const { t } = useTranslation('alerts');
  const [, setUrl] = useUrlState();
  const query = useInfiniteQuery(
    alertListQuery({ state: 'resolved', ...(severity !== undefined && { severity }) }),
  );
  return (
    <Loaded query={query} skeleton={<LinesSkeleton lines={4} height={150} />}>
      {({ pages }) => {
        const alerts = pages.flatMap(({ items }) => items);
        if (alerts.length === 0)
          return severity === undefined ? (
            <Notice title={t('nothingResolved')} />
          ) : (
            <NothingMatches onClear={() => setUrl({ severity: undefined })} />
          );
        return (
          <Cards
            alerts={alerts}
            hasMore={query.hasNextPage}
            isLoading={query.isFetchingNextPage}
            onMore={() => void query.fetchNextPage()}
          />
        );
      }}
    </Loaded>
  );
}

interface CardsProps {
  readonly alerts: readonly Alert[];
  readonly hasMore: boolean;
  readonly isLoading: boolean;
  readonly onMore: () => void;
}

function Cards({ alerts, hasMore, isLoading, onMore }: CardsProps) {
  const { t } = useTranslation('alerts');
  return (
    <Stack gap="sm">
      {alerts.map((alert) => (
        <AlertCard key={alert.id} alert={alert} />
      ))}
      {hasMore && (
        <Group>
          <Button variant="default" loading={isLoading} onClick={onMore}>
            {t('more')}
          </Button>
        </Group>
      )}
    </Stack>
  );
}
