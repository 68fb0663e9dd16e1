import { Button, Group, Text, UnstyledButton } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { type Live, useLive } from '../data/live.tsx';
import { Age } from '../ui/times.tsx';

/** The state of the live updates, in a word. */
export function ConnectionBadge() {
  const { t } = useTranslation('shell');
  const { state, reconnect } = useLive();
  const content = (
    <Group gap={6} wrap="nowrap">
      <span className="connection-dot" data-state={state} />
      <Text size="sm" style={{ whiteSpace: 'nowrap' }}>
        {t(`connection.${state}`)}
      </Text>
    </Group>
  );
  return (
    <div role="status" data-testid="connection">
      {state === 'lost' ? <UnstyledButton onClick={reconnect}>{content}</UnstyledButton> : content}
    </div>
  );
}

/** Says, while the connection is lost, how old the shown data is. It lies over the page, so that nothing moves. */
export function ConnectionBanner() {
  const live = useLive();
  if (live.state !== 'lost' || live.lostAt === undefined) return null;
  return <Lost live={live} lostAt={live.lostAt} />;
}

function Lost({ live, lostAt }: { readonly live: Live; readonly lostAt: number }) {
  const { t } = useTranslation('shell');
  return (
    <div className="connection-banner" role="alert">
      <Group justify="center" gap="sm">
        <Text size="sm">
          {t('connection.lostDetail')} <Age at={lostAt} />
        </Text>
        <Button size="compact-sm" variant="default" onClick={live.reconnect}>
          {t('connection.reconnect')}
        </Button>
      </Group>
    </div>
  );
}
