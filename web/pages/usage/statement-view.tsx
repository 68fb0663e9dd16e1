import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { RequestFailed } from '../../data/problem.ts';
import { type Statement, statementCsv, statementQuery } from '../../data/usage.ts';
import { saveText } from '../../ui/csv.ts';
import { Field, FieldList } from '../../ui/field-list.tsx';
import { BilledTime, Count, Seconds, SignedCount, sumOfSeconds } from '../../ui/figures.tsx';
import { Icon } from '../../ui/icons.tsx';
import { PageLink } from '../../ui/page-link.tsx';
import { Empty, Failed, Loaded } from '../../ui/states.tsx';
import { Instant } from '../../ui/times.tsx';
import { AdjustmentFacts } from './adjustment-facts.tsx';
import { Sum } from './sum.tsx';

/** The statement of an account for a closed period: its lines, their sum, and the facts behind each adjustment. */
export function StatementView({
  accountId,
  period,
}: {
  readonly accountId: string;
  readonly period: string;
}) {
  const { t } = useTranslation('usage');
  const query = useQuery(statementQuery(accountId, period));
  const { error } = query;
  if (error instanceof RequestFailed && error.code === 'not-found')
    return <Empty title={t('statement.none')}>{error.message}</Empty>;
  return <Loaded query={query}>{(statement) => <Lines statement={statement} />}</Loaded>;
}

function Lines({ statement }: { readonly statement: Statement }) {
  const { t } = useTranslation('usage');
  const { accountId, period, statementId, closedAt, watermark, usage, adjustments, total } = statement;
  const exporting = useMutation({
    mutationFn: () => statementCsv(accountId, period),
    onSuccess: (text) => saveText(`${statementId}.csv`, text),
  });
  const sum = sumOfSeconds([usage.clusterSeconds, ...adjustments.map(({ delta }) => delta.clusterSeconds)]);
  return (
    <Stack gap="lg">
      <FieldList>
        <Field name={t('statement.id')}>
          <code>{statementId}</code>
        </Field>
        <Field name={t('statement.closedAt')}>{closedAt !== undefined && <Instant at={closedAt} />}</Field>
        <Field name={t('statement.watermark')}>
          <PageLink to="/usage" search={{ account: accountId, period, asOf: watermark }}>
            {watermark}
          </PageLink>
        </Field>
      </FieldList>
      <section aria-labelledby="statement-lines">
        <Group justify="space-between" mb="xs">
          <Title order={2} id="statement-lines">
            {t('statement.lines')}
          </Title>
          <Button
            variant="default"
            size="xs"
            leftSection={<Icon name="download" size={16} />}
            loading={exporting.isPending}
            onClick={() => exporting.mutate()}
          >
            {t('common:table.csv')}
          </Button>
        </Group>
        {exporting.error !== null && <Failed error={exporting.error} />}
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard. */}
        <section className="table-scroll" aria-label={t('statement.lines')} tabIndex={0}>
          <table className="data-table">
            <thead>
              <tr>
                <th scope="col">{t('statement.line')}</th>
                <th scope="col" data-align="right">
                  {t('common:measure.billableClusters')}
                </th>
                <th scope="col" data-align="right">
                  {t('common:measure.seconds')}
                </th>
                <th scope="col" data-align="right">
                  {t('common:measure.clusterSeconds')}
                </th>
              </tr>
            </thead>
            <tbody>
              <tr>
                <td>{t('statement.usage', { period })}</td>
                <td data-align="right">
                  <Count value={usage.billableClusters} />
                </td>
                <td data-align="right">
                  <Seconds value={usage.clusterSeconds} />
                </td>
                <td data-align="right">
                  <BilledTime seconds={usage.clusterSeconds} />
                </td>
              </tr>
              {adjustments.map((adjustment) => (
                <tr key={adjustment.period}>
                  <td>{t('statement.adjustment', { period: adjustment.period })}</td>
                  <td data-align="right">
                    <SignedCount value={adjustment.delta.billableClusters} />
                  </td>
                  <td data-align="right">
                    <Seconds value={adjustment.delta.clusterSeconds} isSigned />
                  </td>
                  <td data-align="right">
                    <BilledTime seconds={adjustment.delta.clusterSeconds} isSigned />
                  </td>
                </tr>
              ))}
            </tbody>
            <tfoot>
              <tr>
                <th scope="row">{t('statement.total')}</th>
                <td data-align="right">
                  <strong>
                    <Count value={total.billableClusters} />
                  </strong>
                </td>
                <td data-align="right">
                  <strong>
                    <Seconds value={total.clusterSeconds} />
                  </strong>
                </td>
                <td data-align="right">
                  <strong>
                    <BilledTime seconds={total.clusterSeconds} />
                  </strong>
                </td>
              </tr>
            </tfoot>
          </table>
        </section>
        <Sum
          text={t('sum.lines', { count: adjustments.length + 1 })}
          sum={sum}
          figure={total.clusterSeconds}
          ofFigure={t('sum.ofStatement')}
        />
      </section>
      {adjustments.length > 0 && (
        <section aria-labelledby="statement-adjustments">
          <Title order={2} id="statement-adjustments">
            {t('statement.adjustments')}
          </Title>
          <Text size="sm" c="dimmed" mb="sm">
            {t('statement.adjustmentsDetail')}
          </Text>
          <Stack gap="md">
            {adjustments.map((adjustment) => (
              <AdjustmentFacts key={adjustment.period} adjustment={adjustment} />
            ))}
          </Stack>
        </section>
      )}
    </Stack>
  );
}
