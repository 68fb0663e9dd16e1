import { CloseButton, Group, Title } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { allStatements, statementListQuery } from '../../data/periods.ts';
import { Loaded } from '../../ui/states.tsx';
import { StatementTable } from './statement-table.tsx';

/** The statements of a closed period. */
export function Statements({ period, onHide }: { readonly period: string; readonly onHide: () => void }) {
  const { t } = useTranslation('periods');
  const query = useInfiniteQuery(statementListQuery(period));
  const label = t('statementsOf', { period });
  return (
    <section aria-labelledby="statements">
      <Group justify="space-between" mb="xs" wrap="nowrap">
        <Title order={2} id="statements">
          {label}
        </Title>
        <CloseButton aria-label={t('hide')} onClick={onHide} />
      </Group>
      <Loaded query={query}>
        {({ pages }) => (
          <StatementTable
            label={label}
            statements={pages.flatMap(({ items }) => items)}
            isClosed
            onEnd={query.hasNextPage ? () => void query.fetchNextPage() : undefined}
            isLoadingMore={query.isFetchingNextPage}
            loadAll={query.hasNextPage ? () => allStatements(period) : undefined}
          />
        )}
      </Loaded>
    </section>
  );
}
