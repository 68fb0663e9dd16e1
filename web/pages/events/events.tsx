import { Tabs } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useMayCall } from '../../data/caller.ts';
import { PageHeader } from '../../ui/page-header.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { Feed } from './feed.tsx';
import { OneEvent } from './one-event.tsx';
import { RejectedEvents } from './rejected.tsx';
import './events.css';

/** Everything that was recorded, and what was rejected; or one event. */
export default function EventsPage() {
  const { eventId } = useParams({ strict: false }) as { readonly eventId?: string };
  return eventId === undefined ? <Events /> : <OneEvent eventId={eventId} />;
}

function Events() {
  const { t } = useTranslation('events');
  const mayCall = useMayCall();
  const [url, setUrl] = useUrlState();
  if (!mayCall('listRejectedEvents'))
    return (
      <>
        <PageHeader title={t('title')} lead={t('lead')} />
        <Feed />
      </>
    );
  return (
    <>
      <PageHeader title={t('title')} lead={t('lead')} />
      <Tabs
        value={url.tab === 'rejected' ? 'rejected' : 'feed'}
        onChange={(tab) => setUrl({ tab: tab === 'rejected' ? tab : undefined })}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="feed">{t('feed')}</Tabs.Tab>
          <Tabs.Tab value="rejected">{t('rejected.title')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="feed">
          <Feed />
        </Tabs.Panel>
        <Tabs.Panel value="rejected">
          <RejectedEvents />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
