import { Button, Group, SimpleGrid, Stack, TextInput, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Difference, diffQuery } from '../../data/replay.ts';
import { FactCard } from '../../ui/fact-card.tsx';
import { FigureTile, FigureTiles } from '../../ui/figure-tile.tsx';
import { BilledTime, Count, Seconds, SignedCount } from '../../ui/figures.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Empty, Loaded } from '../../ui/states.tsx';
import { useUrlState } from '../../ui/url-state.ts';

/** Returns a moment as the API takes it: a position, or an instant. A time without a zone is in UTC. */
function momentOf(text: string): string {
  const trimmed = text.trim();
  if (/^\d{4}-\d{2}-\d{2}$/.test(trimmed)) return `${trimmed}T00:00:00Z`;
  if (/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?$/.test(trimmed))
    return `${trimmed.replace(' ', 'T')}${trimmed.length === 16 ? ':00' : ''}Z`;
  return trimmed;
}

/** The figure as it was known at two moments, and the facts that make the difference. */
export function Comparison({ accountId, period }: { readonly accountId: string; readonly period: string }) {
  const { t } = useTranslation('replay');
  const [url, setUrl] = useUrlState();
  const [before, setBefore] = useState(url.before ?? '');
  const [after, setAfter] = useState(url.after ?? '');
  useEffect(() => setBefore(url.before ?? ''), [url.before]);
  useEffect(() => setAfter(url.after ?? ''), [url.after]);
  return (
    <Stack gap="lg">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const [from, to] = [momentOf(before), momentOf(after)];
          setUrl({ before: from === '' ? undefined : from, after: to === '' ? undefined : to });
        }}
      >
        <Group align="flex-end" gap="sm">
          <TextInput
            label={t('compare.before')}
            placeholder={t('compare.placeholder')}
            value={before}
            onChange={({ currentTarget }) => setBefore(currentTarget.value)}
            w={260}
          />
          <TextInput
            label={t('compare.after')}
            placeholder={t('compare.now')}
            value={after}
            onChange={({ currentTarget }) => setAfter(currentTarget.value)}
            w={260}
          />
          <Button type="submit" disabled={before.trim() === ''}>
            {t('compare.do')}
          </Button>
        </Group>
      </form>
      {url.before === undefined ? (
        <Empty title={t('compare.empty')}>{t('compare.emptyDetail')}</Empty>
      ) : (
        <Result accountId={accountId} period={period} before={url.before} after={url.after} />
      )}
    </Stack>
  );
}

interface ResultProps {
  readonly accountId: string;
  readonly period: string;
  readonly before: string;
  readonly after: string | undefined;
}

function Result({ accountId, ...question }: ResultProps) {
  const { t } = useTranslation('replay');
  const query = useQuery(diffQuery(accountId, question));
  return (
    <Loaded query={query}>
      {({ before, after, delta, facts }) => (
        <Stack gap="lg">
          <section aria-label={t('compare.result')}>
            <FigureTiles>
              <Known name={t('compare.knownBefore', { position: before.position })} known={before} />
              <Known name={t('compare.knownAfter', { position: after.position })} known={after} />
              <FigureTile
                name={t('difference')}
                note={
                  <>
                    {t('common:measure.billableClusters')} <SignedCount value={delta.billableClusters} />
                  </>
                }
              >
                <Seconds value={delta.clusterSeconds} isSigned />
              </FigureTile>
            </FigureTiles>
          </section>
          {facts.length === 0 ? (
            <Notice severity="good" title={t('compare.same')} />
          ) : (
            <section aria-labelledby="diff-facts">
              <Title order={2} id="diff-facts" mb="sm">
                {t('compare.facts', { count: facts.length })}
              </Title>
              <SimpleGrid cols={{ base: 1, md: 2 }}>
                {facts.map(({ effect, voidedBy, ...fact }) => (
                  <FactCard
                    key={fact.eventId}
                    title={
                      voidedBy === undefined
                        ? t(`compare.${effect}`)
                        : t('compare.voidedBy', { position: voidedBy.position })
                    }
                    fact={fact}
                  />
                ))}
              </SimpleGrid>
            </section>
          )}
        </Stack>
      )}
    </Loaded>
  );
}

function Known({ name, known }: { readonly name: string; readonly known: Difference['before'] }) {
  const { t } = useTranslation('replay');
  return (
    <FigureTile
      name={name}
      note={
        <>
          {t('common:measure.billableClusters')} <Count value={known.usage.billableClusters} />
        </>
      }
    >
      <BilledTime seconds={known.usage.clusterSeconds} />
    </FigureTile>
  );
}
