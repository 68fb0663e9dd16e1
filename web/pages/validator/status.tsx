import { Button, Progress, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMayCall } from '../../data/caller.ts';
import { type Breaker, decideOutage, type Run, validatorQuery } from '../../data/validator.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Notice } from '../../ui/notice.tsx';
import { LinesSkeleton, Loaded } from '../../ui/states.tsx';
import { Age, Instant } from '../../ui/times.tsx';

/** The active runs with their progress, and whether something keeps the validator from concluding. */
export function Status() {
  const { t } = useTranslation('validator');
  const query = useQuery(validatorQuery);
  return (
    <Loaded query={query} skeleton={<LinesSkeleton lines={1} height={64} />}>
      {({ running, shards, decision }) => (
        <Stack gap="sm">
          {running.map((run) => (
            <Running key={run.id} run={run} />
          ))}
          {shards
            .filter(({ breaker }) => breaker.open)
            .map(({ shard, breaker }) => (
              <OpenBreaker key={shard} breaker={breaker} isOverruled={decision !== null} />
            ))}
          {decision !== null && <Decision until={decision.until} by={decision.by} note={decision.note} />}
          {running.length === 0 &&
            shards.map(({ shard, lastRun, completedAt, clusters }) => (
              <Text key={shard} size="sm">
                {t('last', { count: clusters })} <Age at={completedAt} />{' '}
                <Link to={`/validator/${encodeURIComponent(lastRun)}`}>{t('see')}</Link>
              </Text>
            ))}
        </Stack>
      )}
    </Loaded>
  );
}

function Running({ run }: { readonly run: Run }) {
  const { t, i18n } = useTranslation('validator');
  const { done = 0, total = null } = run.progress ?? {};
  const format = new Intl.NumberFormat(i18n.language);
  return (
    <section className="notice" aria-label={t('running')} style={{ padding: '12px 16px' }}>
      <Text fw={600} mb={6}>
        <Link to={`/validator/${encodeURIComponent(run.id)}`}>{t('running')}</Link>
      </Text>
      <Progress
        value={total === null || total === 0 ? 0 : (100 * done) / total}
        size="lg"
        aria-label={t('progress')}
      />
      <Text size="sm" mt={6} className="figure">
        {total === null
          ? t('doneSoFar', { done: format.format(done) })
          : t('doneOf', { done: format.format(done), total: format.format(total) })}
        {' · '}
        <Age at={run.startedAt} />
      </Text>
    </section>
  );
}

function OpenBreaker({ breaker, isOverruled }: { readonly breaker: Breaker; readonly isOverruled: boolean }) {
  const { t } = useTranslation('validator');
  const mayCall = useMayCall();
  const [isAsking, setAsking] = useState(false);
  const { since, why, bad, of, canaries } = breaker;
  return (
    <Notice
      severity={isOverruled ? 'warning' : 'critical'}
      title={t('breaker.title')}
      action={
        mayCall('decideOutage') &&
        !isOverruled && (
          <Button variant="default" size="xs" onClick={() => setAsking(true)}>
            {t('breaker.proceed')}
          </Button>
        )
      }
    >
      {t(`breaker.why.${why ?? 'ratio'}`, { bad, of, canaries: canaries?.join(', ') })}{' '}
      {since !== undefined && <Age at={since} />}
      <div>{t('breaker.effect')}</div>
      <Proceed isOpen={isAsking} onClose={() => setAsking(false)} />
    </Notice>
  );
}

function Proceed({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  const { t } = useTranslation('validator');
  const client = useQueryClient();
  const [hours, setHours] = useState(1);
  const [note, setNote] = useState('');
  const decide = useMutation({
    mutationFn: decideOutage,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['validator'] });
      onClose();
    },
  });
  return (
    <ConfirmDialog
      isOpen={isOpen}
      title={t('breaker.ask')}
      confirm={t('breaker.proceed')}
      isDestructive
      isBusy={decide.isPending}
      canConfirm={hours >= 1 && hours <= 168}
      error={decide.error}
      onConfirm={() =>
        decide.mutate({ proceedForHours: hours, ...(note.trim() !== '' && { note: note.trim() }) })
      }
      onClose={onClose}
    >
      <Text size="sm">{t('breaker.askEffect')}</Text>
      <TextInput
        type="number"
        label={t('breaker.hours')}
        value={hours}
        min={1}
        max={168}
        onChange={({ currentTarget: { value } }) => setHours(Number(value))}
      />
      <Textarea
        label={t('note')}
        value={note}
        maxLength={1_000}
        autosize
        onChange={({ currentTarget: { value } }) => setNote(value)}
      />
    </ConfirmDialog>
  );
}

interface DecisionProps {
  readonly until: string;
  readonly by: string;
  readonly note: string | undefined;
}

/** The decision that runs take effect although the breaker is open. */
function Decision({ until, by, note }: DecisionProps) {
  const { t } = useTranslation('validator');
  const mayCall = useMayCall();
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => decideOutage({ proceedForHours: 0 }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['validator'] }),
  });
  return (
    <Notice
      severity="warning"
      title={t('decided')}
      action={
        mayCall('decideOutage') && (
          <Button variant="default" size="xs" loading={cancel.isPending} onClick={() => cancel.mutate()}>
            {t('takeBack')}
          </Button>
        )
      }
    >
      {t('decidedBy', { by })} <Instant at={until} />
      {note !== undefined && <div className="name">{note}</div>}
    </Notice>
  );
}
