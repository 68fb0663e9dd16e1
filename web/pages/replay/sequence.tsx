import { Button, Group, NativeSelect, Paper, SimpleGrid, Slider, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { type ReplayLine, replayQuery } from '../../data/replay.ts';
import { ChartCard } from '../../ui/chart-card.tsx';
import { FactCard } from '../../ui/fact-card.tsx';
import { FigureTile, FigureTiles } from '../../ui/figure-tile.tsx';
import { BilledTime, Count, Seconds, SignedCount } from '../../ui/figures.tsx';
import { Empty, LinesSkeleton, Loaded } from '../../ui/states.tsx';
import { StepChart } from '../../ui/step-chart.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { factRefOf } from './fact-of-line.ts';
import { LineTable } from './line-table.tsx';

const HEIGHT = 240;
/** Number of steps that the chart draws; of more, those with the greatest changes. */
const MAX_STEPS = 400;
const SECONDS_PER_HOUR = 3_600;

/** The facts of the account in recorded order, with the figure after each. */
export function Sequence({ accountId, period }: { readonly accountId: string; readonly period: string }) {
  const { t } = useTranslation('replay');
  const query = useQuery(replayQuery(accountId, period));
  return (
    <Loaded query={query} skeleton={<LinesSkeleton lines={3} height={120} />}>
      {(lines) =>
        lines.length === 0 ? <Empty title={t('none')}>{t('noneDetail')}</Empty> : <Lines lines={lines} />
      }
    </Loaded>
  );
}

const changes = ({ delta }: ReplayLine) => delta.billableClusters !== 0 || Number(delta.clusterSeconds) !== 0;

/** Returns the lines that the chart draws, in their order. */
function stepsOf(lines: readonly ReplayLine[]): readonly ReplayLine[] {
  const changing = lines.filter((line, i) => i === 0 || changes(line));
  if (changing.length <= MAX_STEPS) return changing;
  const size = ({ delta }: ReplayLine) => Math.abs(Number(delta.clusterSeconds));
  const greatest = new Set([...changing].sort((a, b) => size(b) - size(a)).slice(0, MAX_STEPS));
  return changing.filter((line) => greatest.has(line));
}

function Lines({ lines }: { readonly lines: readonly ReplayLine[] }) {
  const { t } = useTranslation('replay');
  const [url, setUrl] = useUrlState();
  const clusters = [...new Set(lines.map(({ fact }) => fact.subject))].sort();
  const shown = url.cluster === undefined ? lines : lines.filter(({ fact }) => fact.subject === url.cluster);
  const wanted = Number(url.at ?? Number.POSITIVE_INFINITY);
  const last = shown.findLastIndex(({ position }) => Number(position) <= wanted);
  const index = Math.max(0, last);
  const line = shown[index];
  const steps = stepsOf(lines);
  // The chart has a step for the chosen fact or for the last one before it.
  const marked = steps.findLast(({ position }) => Number(position) <= Number(line?.position ?? 0))?.position;
  const choose = (i: number) => setUrl({ at: shown[i]?.position });
  return (
    <Stack gap="lg">
      <Group align="flex-end">
        <NativeSelect
          label={t('cluster')}
          value={url.cluster ?? ''}
          onChange={({ currentTarget }) =>
            setUrl({ cluster: currentTarget.value === '' ? undefined : currentTarget.value })
          }
          data={[
            { value: '', label: t('allClusters', { count: clusters.length }) },
            ...clusters.map((cluster) => ({ value: cluster, label: cluster })),
          ]}
        />
      </Group>
      <ChartCard
        title={t('chart.title')}
        name="chart"
        height={HEIGHT}
        chart={
          <StepChart
            data={steps.map(({ position, usage }) => ({
              position,
              hours: Math.round((Number(usage.clusterSeconds) / SECONDS_PER_HOUR) * 100) / 100,
            }))}
            by="position"
            value="hours"
            valueLabel={t('chart.hours')}
            marked={marked}
            height={HEIGHT}
            label={t('chart.label')}
          />
        }
        table={<LineTable lines={shown} />}
        csv={() => [
          ['position', 'type', 'cluster', 'billableClusters', 'clusterSeconds', 'delta'],
          ...shown.map(({ position, fact, usage, delta }) => [
            position,
            fact.type,
            fact.subject,
            String(usage.billableClusters),
            usage.clusterSeconds,
            delta.clusterSeconds,
          ]),
        ]}
      />
      {line !== undefined && (
        <Paper component="section" withBorder p="md" aria-label={t('step.label')}>
          <Stack gap="md">
            <Group justify="space-between" gap="xs">
              <Text fw={600} className="figure">
                {t('step.of', { number: index + 1, count: shown.length, position: line.position })}
              </Text>
              <Group gap="xs">
                <Button variant="default" size="xs" disabled={index === 0} onClick={() => choose(index - 1)}>
                  {t('step.back')}
                </Button>
                <Button
                  variant="default"
                  size="xs"
                  disabled={index === shown.length - 1}
                  onClick={() => choose(index + 1)}
                >
                  {t('step.forward')}
                </Button>
                <Button
                  variant="default"
                  size="xs"
                  onClick={() => setUrl({ tab: 'compare', before: line.position })}
                >
                  {t('step.compare')}
                </Button>
              </Group>
            </Group>
            {shown.length > 1 && (
              <Slider
                min={0}
                max={shown.length - 1}
                value={index}
                onChange={choose}
                label={(i) => shown[i]?.position ?? ''}
                thumbLabel={t('step.slider')}
                thumbProps={{ 'aria-valuetext': t('step.position', { position: line.position }) } as object}
              />
            )}
            <FigureTiles>
              <FigureTile
                name={t('common:measure.billableClusters')}
                note={
                  <>
                    {t('step.byFact')} <SignedCount value={line.delta.billableClusters} />
                  </>
                }
              >
                <Count value={line.usage.billableClusters} />
              </FigureTile>
              <FigureTile
                name={t('common:measure.clusterSeconds')}
                note={
                  <>
                    {t('step.byFact')} <Seconds value={line.delta.clusterSeconds} isSigned />
                  </>
                }
              >
                <BilledTime seconds={line.usage.clusterSeconds} />
              </FigureTile>
            </FigureTiles>
            <SimpleGrid cols={{ base: 1, md: 2 }}>
              <FactCard title={t('step.fact')} fact={factRefOf(line)} />
            </SimpleGrid>
          </Stack>
        </Paper>
      )}
    </Stack>
  );
}
