import { Button, CloseButton, Group, Stack, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { closingPreviewQuery, type Period } from '../../data/periods.ts';
import { FigureTile, FigureTiles } from '../../ui/figure-tile.tsx';
import { BilledTime, Count, Seconds } from '../../ui/figures.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Loaded } from '../../ui/states.tsx';
import { StatementTable } from './statement-table.tsx';

interface ClosingPreviewProps {
  readonly period: Period;
  readonly onHide: () => void;
  readonly onClose: () => void;
}

/** The amounts that closing a period now would put on statements. Nothing is written. */
export function ClosingPreview({ period: { period }, onHide, onClose }: ClosingPreviewProps) {
  const { t } = useTranslation('periods');
  const query = useQuery(closingPreviewQuery(period));
  return (
    <section aria-labelledby="closing-preview">
      <Group justify="space-between" mb="xs" wrap="nowrap">
        <Title order={2} id="closing-preview">
          {t('dryRun.title', { period })}
        </Title>
        <CloseButton aria-label={t('hide')} onClick={onHide} />
      </Group>
      <Loaded query={query}>
        {(preview) =>
          preview.outcome === 'closed' ? (
            <Notice title={t('dryRun.closed')} />
          ) : (
            <Stack gap="md">
              <FigureTiles>
                <FigureTile name={t('dryRun.statements')} note={t('dryRun.nothingWritten')}>
                  <Count value={preview.accounts} />
                </FigureTile>
                <FigureTile name={t('dryRun.billable')} note={t('dryRun.withAdjustments')}>
                  <Count value={preview.totals.billableClusters} />
                </FigureTile>
                <FigureTile name={t('dryRun.time')} note={<Seconds value={preview.totals.clusterSeconds} />}>
                  <BilledTime seconds={preview.totals.clusterSeconds} />
                </FigureTile>
                <FigureTile name={t('dryRun.adjustments')} note={t('dryRun.adjustmentsNote')}>
                  <Count
                    value={preview.statements.reduce((sum, { adjustments }) => sum + adjustments.length, 0)}
                  />
                </FigureTile>
              </FigureTiles>
              <StatementTable
                label={t('dryRun.title', { period })}
                statements={preview.statements}
                isClosed={false}
              />
              <Group>
                <Button onClick={onClose}>{t('closeOf', { period })}</Button>
              </Group>
            </Stack>
          )
        }
      </Loaded>
    </section>
  );
}
