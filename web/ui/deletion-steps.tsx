import './deletion-steps.css';
import { useTranslation } from 'react-i18next';
import type { Deletion } from '../data/deletions.ts';
import { Icon, type IconName } from './icons.tsx';
import { Instant, utcText } from './times.tsx';

interface Step {
  readonly name: 'requested' | 'confirmed' | 'deprovisioning' | 'billingStopped' | 'verifiedGone';
  readonly at?: string | undefined;
  readonly by?: string | undefined;
  readonly isDone: boolean;
}

/** Returns the five steps of a deletion that goes as it should. */
function stepsOf({ requested, confirmed, begun, deleted, verifiedGone }: Deletion): readonly Step[] {
  return [
    {
      name: 'requested',
      at: requested?.at,
      by: requested?.by,
      isDone: requested !== undefined || confirmed !== undefined,
    },
    { name: 'confirmed', at: confirmed?.at, by: confirmed?.by, isDone: confirmed !== undefined },
    // An application that reports only the end has passed this step.
    {
      name: 'deprovisioning',
      at: begun?.at,
      by: begun?.by,
      isDone: begun !== undefined || deleted !== undefined,
    },
    { name: 'billingStopped', at: deleted?.at, by: deleted?.by, isDone: deleted !== undefined },
    { name: 'verifiedGone', isDone: verifiedGone },
  ];
}

/** States in which a deletion does not go on. */
const ENDED = ['cancelled', 'failed', 'stuck'] as const;

/** A deletion as its steps, with their times and actors. It says when the bill ended. */
export function DeletionSteps({ deletion }: { readonly deletion: Deletion }) {
  const { t } = useTranslation();
  const steps = stepsOf(deletion);
  const ended = ENDED.find((state) => state === deletion.state);
  const current = ended === undefined ? steps.findIndex(({ isDone }) => !isDone) : -1;
  const { deleted } = deletion;
  return (
    <div>
      <ol className="steps" aria-label={t('deletion.steps')}>
        {steps.map(({ name, at, by, isDone }, i) => {
          const icon: IconName = isDone ? 'good' : i === current ? 'pending' : 'billed';
          return (
            <li
              key={name}
              className="step"
              data-state={isDone ? 'done' : i === current ? 'current' : 'ahead'}
              aria-current={i === current ? 'step' : undefined}
            >
              <Icon name={icon} size={18} />
              <div>
                <div className="step-name">
                  {t(`deletion.step.${name}`)}
                  <span className="visually-hidden">
                    {t(isDone ? 'deletion.done' : i === current ? 'deletion.waiting' : 'deletion.ahead')}
                  </span>
                </div>
                {at !== undefined && (
                  <div className="step-detail">
                    <Instant at={at} precision="second" />
                    {by !== undefined && <span className="name"> · {by}</span>}
                  </div>
                )}
              </div>
            </li>
          );
        })}
      </ol>
      {ended !== undefined && <EndedLine deletion={deletion} state={ended} />}
      {deleted !== undefined && (
        <p className="step-end">
          {t('deletion.billEnded')} <BillingEnd at={deleted.effectiveAt} />
        </p>
      )}
    </div>
  );
}

function EndedLine({
  deletion,
  state,
}: {
  readonly deletion: Deletion;
  readonly state: (typeof ENDED)[number];
}) {
  const { t } = useTranslation();
  const step = state === 'stuck' ? undefined : deletion[state];
  return (
    <p className="step-end" data-severity={state === 'cancelled' ? 'info' : 'critical'}>
      <Icon name={state === 'cancelled' ? 'info' : 'critical'} size={16} /> {t(`deletion.${state}`)}
      {step !== undefined && (
        <>
          {' '}
          <Instant at={step.at} precision="second" />
          {step.reason !== undefined && <span className="name"> · {step.reason}</span>}
        </>
      )}
    </p>
  );
}

/** The end of a bill: an instant of a billing window, in UTC. */
function BillingEnd({ at }: { readonly at: string }) {
  return (
    <time className="figure" dateTime={at}>
      {utcText(at)}
    </time>
  );
}
