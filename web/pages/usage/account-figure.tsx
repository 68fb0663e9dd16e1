import { Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useMayCall } from '../../data/caller.ts';
import { accountUsageQuery, explanationQuery, type UsageQuestion } from '../../data/usage.ts';
import { FigureTile, FigureTiles } from '../../ui/figure-tile.tsx';
import { BilledTime, Count, Seconds } from '../../ui/figures.tsx';
import { PageLink } from '../../ui/page-link.tsx';
import { LinesSkeleton, Loaded } from '../../ui/states.tsx';
import { BillingWindow, utcText } from '../../ui/times.tsx';
import { BeforeBeginning } from './before-beginning.tsx';
import { DailyUsage } from './daily-usage.tsx';
import { Parts } from './parts.tsx';
import { UsageByType } from './usage-by-type.tsx';

/** The usage of an account in a period: the figure, its days, and the parts that it is made of. */
export function AccountFigure({
  accountId,
  question,
}: {
  readonly accountId: string;
  readonly question: UsageQuestion;
}) {
  const { t } = useTranslation('usage');
  const mayCall = useMayCall();
  const query = useQuery(accountUsageQuery(accountId, question));
  // In a period that is still running, only figures of the same moment add up: so the parts bring theirs.
  const { data: explanation } = useQuery(explanationQuery(accountId, question));
  return (
    <Loaded query={query} skeleton={<LinesSkeleton lines={4} height={72} />}>
      {({ statementsBegin, ...first }) => {
        const { usage, byType, window, through, position } = explanation ?? first;
        return (
          <Stack gap="lg">
            <BeforeBeginning period={statementsBegin} />
            <section aria-label={t('figure')}>
              <FigureTiles>
                <FigureTile name={t('common:measure.billableClusters')} note={t('billableNote')}>
                  <Count value={usage.billableClusters} />
                </FigureTile>
                <FigureTile
                  name={t('common:measure.clusterSeconds')}
                  note={<Seconds value={usage.clusterSeconds} />}
                >
                  <BilledTime seconds={usage.clusterSeconds} />
                </FigureTile>
                <FigureTile
                  name={t('common:measure.peakClusters')}
                  note={t('startAndEnd', { start: usage.clustersAtStart, end: usage.clustersAtEnd })}
                >
                  <Count value={usage.peakClusters} />
                </FigureTile>
                <FigureTile name={t('common:measure.averageClusters')} note={t('averageNote')}>
                  <span className="figure">{usage.averageClusters}</span>
                </FigureTile>
              </FigureTiles>
              <p className="usage-note">
                <BillingWindow from={window.from} to={window.to} />
                {through < window.to && ` · ${t('countedUpTo', { at: utcText(through) })}`}
                {question.asOf !== undefined && ` · ${t('asKnownAt', { position })}`}
                {mayCall('replayAccount') && (
                  <>
                    {' · '}
                    <PageLink to="/replay" search={{ account: accountId, period: question.period }}>
                      {t('replay')}
                    </PageLink>
                  </>
                )}
              </p>
            </section>
            {byType.length > 0 && <UsageByType accountId={accountId} byType={byType} />}
            <DailyUsage accountId={accountId} question={question} />
            <Parts accountId={accountId} question={question} />
          </Stack>
        );
      }}
    </Loaded>
  );
}
