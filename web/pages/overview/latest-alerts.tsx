import { Anchor, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { latestAlertsQuery } from '../../data/alerts.ts';
import { SeverityIcon } from '../../ui/icons.tsx';
import { LinesSkeleton, Loaded } from '../../ui/states.tsx';
import { Age } from '../../ui/times.tsx';
import { wordsOf } from '../alerts/alert-words.ts';

const SHOWN = 5;

/** The latest open alerts. */
export function LatestAlerts() {
  const { t, i18n } = useTranslation('overview');
  const query = useQuery(latestAlertsQuery(SHOWN));
  return (
    <Paper component="section" withBorder p="md" aria-label={t('alerts.title')} mih={280}>
      <Group justify="space-between" mb="sm">
        <Title order={2}>{t('alerts.title')}</Title>
        <Anchor component={Link} to="/alerts" size="sm">
          {t('alerts.all')}
        </Anchor>
      </Group>
      <Loaded query={query} skeleton={<LinesSkeleton lines={SHOWN} height={34} />}>
        {({ items }) =>
          items.length === 0 ? (
            <Text size="sm" c="dimmed">
              {t('alerts.none')}
            </Text>
          ) : (
            <Stack gap="sm">
              {items.map((alert) => (
                <Group key={alert.id} wrap="nowrap" gap="sm" align="flex-start">
                  <SeverityIcon severity={alert.severity} size={18} />
                  <div className="breakable">
                    <Text
                      component={Link}
                      to={'/alerts/$alertId' as never}
                      params={{ alertId: alert.id } as never}
                      preload={false}
                      size="sm"
                      lineClamp={2}
                      className="alert-link name"
                    >
                      {wordsOf(alert, i18n.language).happened}
                    </Text>
                    <Text size="xs" c="dimmed">
                      {t(`alerts.severity.${alert.severity}`)} · <Age at={alert.raisedAt} />
                    </Text>
                  </div>
                </Group>
              ))}
            </Stack>
          )
        }
      </Loaded>
    </Paper>
  );
}
