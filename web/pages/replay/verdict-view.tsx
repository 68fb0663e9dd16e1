import { useTranslation } from 'react-i18next';
import { Icon } from '../../ui/icons.tsx';
import { Notice } from '../../ui/notice.tsx';
import { CHECKS, type Verdict } from '../../verifier/verdict.ts';

interface VerdictViewProps {
  readonly verdict: Verdict;
  /** Whether the keys came from the ledger itself. */
  readonly isOfLedger: boolean;
}

/** The result of a verification in plain words: what was proved, by which key, and what was not. */
export function VerdictView({ verdict, isOfLedger }: VerdictViewProps) {
  const { t } = useTranslation('replay');
  if (!verdict.ok) {
    const failed = CHECKS.indexOf(verdict.check);
    return (
      <Notice severity="critical" title={t('verdict.refuted')}>
        <p>{t('verdict.refutedDetail')}</p>
        <ul className="checks">
          {CHECKS.slice(0, failed).map((check) => (
            <li key={check} data-state="ok">
              <Icon name="good" size={16} />
              {t(`checks.${check}`)}
            </li>
          ))}
          <li data-state="failed">
            <Icon name="critical" size={16} />
            <span>
              {t(`failed.${verdict.check}`)}
              {': '}
              <span className="name">{verdict.why}</span>
            </span>
          </li>
          {CHECKS.slice(failed + 1).map((check) => (
            <li key={check} data-state="open">
              <Icon name="pending" size={16} />
              {t('verdict.notChecked', { check: t(`checks.${check}`) })}
            </li>
          ))}
        </ul>
      </Notice>
    );
  }
  const { summary } = verdict;
  const { accountId, period, origin, size, facts, clusters, closings, figure, consistentSince, sealedBy } =
    summary;
  const proved = [
    t('proved.signature', { size, origin }),
    t('proved.inclusion', { facts, clusters, closings }),
    ...(consistentSince === undefined ? [] : [t('proved.consistency', { size: consistentSince })]),
    t('proved.completeness'),
    t(`proved.${figure === 'no statement' ? 'noStatement' : figure}`),
    t('proved.seal', { keys: sealedBy.join(', ') }),
  ];
  const notProved = [
    ...(consistentSince === undefined ? [t('notProved.consistency')] : []),
    ...(isOfLedger ? [t('notProved.keys')] : []),
    t('notProved.world'),
  ];
  return (
    <Notice severity="good" title={t('verdict.proved', { account: accountId, period })}>
      <p>{t('verdict.provedDetail')}</p>
      <ul className="checks">
        {proved.map((text) => (
          <li key={text} data-state="ok">
            <Icon name="good" size={16} />
            <span className="name">{text}</span>
          </li>
        ))}
      </ul>
      <p>{t('verdict.notProvedDetail')}</p>
      <ul className="checks">
        {notProved.map((text) => (
          <li key={text} data-state="open">
            <Icon name="info" size={16} />
            {text}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
