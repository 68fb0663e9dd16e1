import { Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { type RunDetail, runQuery } from '../../data/validator.ts';
import { Field, FieldList } from '../../ui/field-list.tsx';
import { Count } from '../../ui/figures.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { Loaded } from '../../ui/states.tsx';
import { Instant } from '../../ui/times.tsx';
import { ClusterLink, Conclusions, Verdicts } from './conclusions.tsx';
import { VerdictBar } from './verdict-bar.tsx';

/** A run: its verdicts, what it recorded, and what it would have recorded. */
export function OneRun({ runId }: { readonly runId: string }) {
  const { t } = useTranslation('validator');
  const query = useQuery(runQuery(runId));
  return (
    <>
      <PageHeader title={t('oneRun')} lead={<Link to="/validator">{t('all')}</Link>} />
      <Loaded query={query}>{(run) => <Run run={run} />}</Loaded>
    </>
  );
}

function Run({ run }: { readonly run: RunDetail }) {
  const { t } = useTranslation('validator');
  const { state, abandoned, trigger, by, startedAt, result, progress, verdicts, facts, wouldHave, raised } =
    run;
  const counts = result?.counts ?? progress?.counts;
  return (
    <Stack gap="xl">
      {counts !== undefined && (
        <div style={{ maxWidth: 640 }}>
          <VerdictBar counts={counts} label={t('oneRun')} />
        </div>
      )}
      <FieldList>
        <Field name={t('run.state')}>
          {t(`stateIs.${state}`)}
          {abandoned !== undefined && ` – ${t(`abandonedIs.${abandoned}`)}`}
        </Field>
        <Field name={t('run.started')}>
          <Instant at={startedAt} precision="second" />
        </Field>
        <Field name={t('took')}>
          {result !== undefined && t('seconds', { seconds: (result.durationMs / 1_000).toFixed(1) })}
        </Field>
        <Field name={t('run.trigger')}>{t(`triggerIs.${trigger}`)}</Field>
        <Field name={t('run.by')}>
          <span className="name">{by}</span>
        </Field>
        <Field name={t('run.changed')}>{result !== undefined && <Count value={result.changed} />}</Field>
        <Field name={t('run.facts')}>{result !== undefined && <Count value={result.facts} />}</Field>
        <Field name={t('run.wouldHave')}>{result !== undefined && <Count value={result.wouldHave} />}</Field>
        <Field name={t('run.withheld')}>{result?.withheld === true && t('withheld')}</Field>
      </FieldList>
      <Conclusions title={t('wouldHave')} facts={wouldHave} prefix="would." />
      {facts.length > 0 && (
        <section>
          <Title order={2} mb="xs">
            {t('recorded')}
          </Title>
          {facts.map(({ clusterId, type }) => (
            <Text key={`${clusterId} ${type}`} size="sm">
              {t(`factIs.${type}`)} <ClusterLink clusterId={clusterId} />
            </Text>
          ))}
        </section>
      )}
      {raised.length > 0 && (
        <section>
          <Title order={2} mb="xs">
            {t('raised')}
          </Title>
          {raised.map(({ kind, subject }) => (
            <Text key={`${kind}:${subject}`} size="sm">
              <Link to={`/alerts/${encodeURIComponent(`${kind}:${subject}`)}`}>{kind}</Link>{' '}
              <span className="name">{subject}</span>
            </Text>
          ))}
        </section>
      )}
      {verdicts.length > 0 ? (
        <Verdicts title={t('changedVerdicts')} verdicts={verdicts} />
      ) : (
        <Text size="sm" c="dimmed">
          {t('nothingChanged')}
        </Text>
      )}
    </Stack>
  );
}
