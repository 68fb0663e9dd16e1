import { Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Account } from '../../data/accounts.ts';
import { Field, FieldList } from '../../ui/field-list.tsx';
import { Empty } from '../../ui/states.tsx';

/** The ids of the account in other systems. */
export function ExternalIds({ account: { externalIds = {} } }: { readonly account: Account }) {
  const { t } = useTranslation('account');
  const entries = Object.entries(externalIds);
  return (
    <section aria-labelledby="external-ids">
      <Title order={2} id="external-ids" mb="xs">
        {t('externalIds.title')}
      </Title>
      {entries.length === 0 ? (
        <Empty title={t('externalIds.none')}>{t('externalIds.noneDetail')}</Empty>
      ) : (
        <FieldList>
          {entries.map(([system, id]) => (
            <Field key={system} name={system}>
              <code className="name">{id}</code>
            </Field>
          ))}
        </FieldList>
      )}
    </section>
  );
}
