import { Button, Group, NativeSelect, Switch, Text, TextInput } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMayCall } from '../../data/caller.ts';
import { eventsQuery } from '../../data/events.ts';
import { EVENT_TYPES, type FeedEvent, shortType } from '../../data/feed.ts';
import { useLiveEvents } from '../../data/live.tsx';
import { type Columns, DataTable } from '../../ui/data-table.tsx';
import { Empty, Loaded, NothingMatches } from '../../ui/states.tsx';
import { Instant } from '../../ui/times.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { Subject } from './subject.tsx';

/** Number of new events that are kept in this page; older ones are read from the ledger again. */
const MAX_FRESH = 2_000;

/** Returns an event of the stream; `undefined` for messages of other kinds. */
function parseEvent(data: string): FeedEvent | undefined {
  const event = JSON.parse(data) as Partial<FeedEvent>;
  return typeof event.ledgereventid === 'string' && typeof event.type === 'string'
    ? (event as FeedEvent)
    : undefined;
}

/** The feed, latest first. New events appear as they are recorded, unless the viewer holds them back. */
export function Feed() {
  const { t } = useTranslation('events');
  const mayCall = useMayCall();
  const [url, setUrl] = useUrlState();
  const [isFollowing, setFollowing] = useState(true);
  const [fresh, setFresh] = useState<readonly FeedEvent[]>([]);
  const [held, setHeld] = useState<readonly FeedEvent[]>([]);
  useLiveEvents(({ data }) => {
    const event = parseEvent(data);
    if (event === undefined) return;
    const add = (last: readonly FeedEvent[]) => [event, ...last].slice(0, MAX_FRESH);
    if (isFollowing) setFresh(add);
    else setHeld(add);
  });
  const release = () => {
    setFresh((last) => [...held, ...last].slice(0, MAX_FRESH));
    setHeld([]);
  };
  const type = EVENT_TYPES.includes(url.type ?? '') ? (url.type ?? '') : '';
  const text = (url.q ?? '').toLowerCase();
  const query = useInfiniteQuery(eventsQuery(type));
  const columns: Columns<FeedEvent> = [
    {
      id: 'position',
      header: t('position'),
      accessorFn: ({ ledgerposition }) => Number(ledgerposition),
      size: 105,
      meta: { align: 'right' },
    },
    {
      id: 'type',
      header: t('type'),
      accessorFn: ({ type: name }) => shortType(name),
      size: 170,
      cell: ({ row: { original } }) => {
        const name = t(`typeIs.${shortType(original.type).replace('.', '-')}`, shortType(original.type));
        return mayCall('getEvent') ? (
          <Link
            to={`/events/${original.ledgereventid}`}
            search={{ position: original.ledgerposition } as never}
          >
            {name}
          </Link>
        ) : (
          name
        );
      },
    },
    {
      id: 'subject',
      header: t('subject'),
      accessorKey: 'subject',
      size: 250,
      cell: ({ row }) => <Subject event={row.original} />,
    },
    {
      id: 'recorded',
      header: t('recorded'),
      accessorFn: ({ recordedtime }) => recordedtime,
      size: 220,
      cell: ({ row }) => <Instant at={row.original.recordedtime} precision="second" />,
    },
    {
      id: 'time',
      header: t('time'),
      accessorKey: 'time',
      size: 220,
      cell: ({ row }) => <Instant at={row.original.time} precision="second" />,
    },
    {
      id: 'source',
      header: t('source'),
      accessorKey: 'source',
      size: 220,
      meta: { isOptional: true },
      cell: ({ row }) => <span className="name">{row.original.source}</span>,
    },
    { id: 'id', header: t('id'), accessorKey: 'id', size: 220, meta: { isOptional: true } },
  ];
  const filters = (
    <>
      <NativeSelect
        size="xs"
        aria-label={t('type')}
        value={type}
        onChange={({ currentTarget: { value } }) => setUrl({ type: value })}
        data={[
          { value: '', label: t('anyType') },
          ...EVENT_TYPES.map((value) => ({
            value,
            label: t(`typeIs.${shortType(value).replace('.', '-')}`),
          })),
        ]}
      />
      <TextInput
        size="xs"
        aria-label={t('filter')}
        placeholder={t('filter')}
        defaultValue={url.q ?? ''}
        onChange={({ currentTarget: { value } }) => setUrl({ q: value })}
      />
      <Switch
        size="sm"
        my={6}
        label={t('follow')}
        checked={isFollowing}
        onChange={({ currentTarget: { checked } }) => {
          setFollowing(checked);
          if (checked) release();
        }}
      />
    </>
  );
  return (
    <Loaded query={query}>
      {({ pages }) => {
        const known = pages.flatMap(({ events }) => events);
        const newest = Number(known[0]?.ledgerposition ?? 0);
        const all = [
          ...fresh.filter(
            (event) => Number(event.ledgerposition) > newest && (type === '' || event.type === type),
          ),
          ...known,
        ];
        const rows = all.filter(({ subject, source, id }) =>
          [subject, source, id].some((part) => part.toLowerCase().includes(text)),
        );
        if (all.length === 0 && type === '' && !query.hasNextPage)
          return <Empty title={t('empty')}>{t('emptyDetail')}</Empty>;
        return (
          <>
            {held.length > 0 && (
              <Group mb="xs">
                <Button variant="default" size="xs" onClick={release}>
                  {t('showNew', { count: held.length })}
                </Button>
              </Group>
            )}
            <DataTable
              label={t('title')}
              rows={rows}
              columns={columns}
              idOf={({ ledgerposition }) => ledgerposition}
              initialSort="-position"
              filters={filters}
              onEnd={query.hasNextPage && text === '' ? () => void query.fetchNextPage() : undefined}
              isLoadingMore={query.isFetchingNextPage}
            />
            {rows.length === 0 && (
              <NothingMatches onClear={() => setUrl({ type: undefined, q: undefined })} />
            )}
            {query.hasNextPage && text !== '' && (
              <Group mt="xs">
                <Text size="sm" c="dimmed">
                  {t('searched', { count: all.length })}
                </Text>
                <Button
                  variant="default"
                  size="xs"
                  loading={query.isFetchingNextPage}
                  onClick={() => void query.fetchNextPage()}
                >
                  {t('older')}
                </Button>
              </Group>
            )}
          </>
        );
      }}
    </Loaded>
  );
}
